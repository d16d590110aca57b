/** The command was overtaken: a newer fence, a lost lock or a passed deadline. Nothing more may be done for it. */
export class FencedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FencedError";
  }
}
