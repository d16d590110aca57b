import type { ProblemDetails } from "@deeplens/contracts";

export type { ProblemDetails };

/** The API refused the call, or failed at it; `problem` says what happened and what to do. */
export class ApiProblem extends Error {
  readonly problem: ProblemDetails;
  constructor(problem: ProblemDetails) {
    super(problem.detail);
    this.name = "ApiProblem";
    this.problem = problem;
  }
}

/** Nothing that speaks HTTP answered at the API's address. */
export class ApiUnreachable extends Error {
  readonly url: string;
  constructor(url: string, cause: unknown) {
    super(`the API at ${url} does not answer (${reasonOf(cause)})`, { cause });
    this.name = "ApiUnreachable";
    this.url = url;
  }
}

// fetch says "fetch failed" and hides the reason in its cause.
const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause as { code?: string; message?: string } | undefined;
  return inner?.code ?? inner?.message ?? cause.message;
};

/** The problem in an answer that is none of 2xx, also where a proxy answered in the API's place. */
export const problemOf = async (response: Response): Promise<ApiProblem> => {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    if (isProblem(body)) return new ApiProblem(body);
  } catch {
    // Not JSON: not the API's own answer.
  }
  return new ApiProblem({
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    code: "no-problem-details",
    detail: `HTTP ${response.status} ${response.statusText} without problem details: ${text.slice(0, 200)}`,
    next: "check that the address is that of a DeepLens Tenants API",
  });
};

const isProblem = (body: unknown): body is ProblemDetails =>
  typeof body === "object" &&
  body !== null &&
  "code" in body &&
  "detail" in body &&
  "status" in body &&
  "next" in body;
