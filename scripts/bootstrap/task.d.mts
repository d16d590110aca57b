export type RunOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
};
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<string>;
export class TaskFailure extends Error {
  constructor(title: string, cause: string, log: string, hint?: string);
}
export function task<T>(
  title: string,
  options: { readonly log: string; readonly hint?: string },
  work: (run: Run) => Promise<T>,
): Promise<T>;
export function finishedParts(): readonly { readonly title: string; readonly ms: number }[];
