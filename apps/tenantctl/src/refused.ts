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

/** The API went away in the middle of an act: it may or may not have heard it; exit code 1. */
export class NotAnswered extends Error {
  readonly code = "api-unreachable";
  /** What to do now. */
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "NotAnswered";
    this.next = next;
  }
}

/** Ctrl+C: what was asked for goes on without this terminal; exit code 1. */
export class Interrupted extends Error {
  readonly code = "interrupted";
  /** What to do now. */
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "Interrupted";
    this.next = next;
  }
}
