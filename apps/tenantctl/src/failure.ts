import { ApiProblem, ApiUnreachable, type ProblemDetails } from "@deeplens/client/api";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { Interrupted, NotAnswered, Refused } from "./refused.ts";

/** An error as a person or a program is told of it. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly next: string;
  /** Whatever else the API said: field, state, ids. */
  readonly [more: string]: unknown;
}

export const failureOf = (error: unknown): Failure => {
  if (error instanceof Refused)
    return { exitCode: exitCodes.refused, code: error.code, message: error.message, next: error.next };
  if (error instanceof Interrupted || error instanceof NotAnswered)
    return { exitCode: exitCodes.failed, code: error.code, message: error.message, next: error.next };
  if (error instanceof ApiProblem) {
    const { type: _type, title: _title, detail, ...rest } = error.problem;
    const exitCode = error.problem.status < 500 ? exitCodes.refused : exitCodes.failed;
    return { ...rest, exitCode, message: detail, next: nextOf(error.problem) };
  }
  if (error instanceof ApiUnreachable)
    return {
      exitCode: exitCodes.failed,
      code: "api-unreachable",
      message: error.message,
      next: "is it running? `npm start` brings it up; `tenantctl config` shows the address in use",
    };
  // Ctrl+C, or the end of input, at a question.
  if (error instanceof Error && error.name === "ExitPromptError")
    return {
      exitCode: exitCodes.refused,
      code: "not-answered",
      message: "the question was not answered, so nothing was done",
      next: "run it again, or give the answers as flags (see --help)",
    };
  return {
    exitCode: exitCodes.failed,
    code: "unexpected",
    message: error instanceof Error ? error.message : String(error),
    next: "run it again; if it fails again, the orchestrator's log says more",
  };
};

/** What to do, in this program's words: the API's own speak of calls. */
const nextOf = ({ code, next, sagaId, state }: ProblemDetails): string => {
  switch (code) {
    case "tenant-not-found":
      return "list the tenants with `tenantctl list --all`, or make this one with `tenantctl create`";
    case "saga-not-found":
      return "list the sagas with `tenantctl sagas`; finished ones are pruned after their retention";
    case "token-missing":
    case "token-wrong":
      return "give the right file with --token-file; `tenantctl config get token-file` says which one is read";
    case "tenant-not-ready":
      return "follow it with `tenantctl watch`";
    case "credentials-unknown":
    case "credentials-of-other-tenant":
    case "credentials-spent":
      return "drop the tenant's own credentials off with `tenantctl secret put`, and give that reference as --secret";
    case "slug-taken":
      return "choose another name, or look at the tenant that has it with `tenantctl status`";
    case "request-id-reused":
      return "leave --request-id out, or repeat the request as it was first";
    default:
      // An act that came too late: the saga says where it is now.
      return sagaId !== undefined && state !== undefined
        ? `look at it with \`tenantctl saga ${sagaId}\``
        : next;
  }
};
