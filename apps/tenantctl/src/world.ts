/** What the program touches of the outside; tests give their own. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** All of standard input. */
  input(): Promise<string>;
  /** True where a person can be asked. */
  readonly interactive: boolean;
  /** Who acts, for the record: user@host. */
  readonly actor: string;
  /** Aborted by Ctrl+C. */
  readonly interrupted: AbortSignal;
}

export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
