import type { ProblemDetails } from "@deeplens/contracts/rules";

/** The API refused, and said why and what to do. */
export class ApiProblem extends Error {
  readonly problem: ProblemDetails;
  constructor(problem: ProblemDetails) {
    super(problem.detail);
    this.name = "ApiProblem";
    this.problem = problem;
  }
}

/** Nothing answered, or nothing of ours did. */
export class ApiUnreachable extends Error {
  constructor(reason: string) {
    super(`the orchestrator does not answer (${reason})`);
    this.name = "ApiUnreachable";
  }
}

/** The problem details in an answer; undefined where it has none. */
export const problemIn = async (response: Response): Promise<ProblemDetails | undefined> => {
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  // Broken off in the middle it says nothing either: the caller tells the status.
  return (await response.json().catch(() => undefined)) as ProblemDetails | undefined;
};

/** True where a call was refused because nobody is signed in. */
export const isSignedOut = (error: unknown): boolean =>
  error instanceof ApiProblem && error.problem.status === 401;

/** What a person reads of an error: what happened, and what to do. */
export const wordsOf = (error: unknown): { readonly happened: string; readonly next: string } => {
  if (error instanceof ApiProblem) return { happened: error.problem.detail, next: error.problem.next };
  if (error instanceof ApiUnreachable)
    return {
      happened: error.message,
      next: "it is asked again by itself; look whether the orchestrator runs",
    };
  return { happened: error instanceof Error ? error.message : String(error), next: "load the page again" };
};
