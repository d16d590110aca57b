/** Something that the program itself refuses; exit code 2. */
export class Refused extends Error {
  readonly code: string;
  /** What to do now. */
  readonly next: string;
  constructor(code: string, message: string, next: string) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.next = next;
  }
}
