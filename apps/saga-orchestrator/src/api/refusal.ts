import type { InboxResult } from "../saga/inbox.ts";
import { Problem } from "./problem.ts";

type Refusal = Extract<InboxResult, { ok: false }>;

// What is in conflict with what is there; every other refusal is about the request itself.
const conflicts: Readonly<Record<string, string>> = {
  "slug-taken": "choose another name, or follow the tenant that has it",
  "request-id-reused": "send the request as it was first, or a new one with a key of its own",
};

/** The problem that tells of a refused request for a tenant. Its message begins with the field where one broke a rule. */
export const refusalOf = (result: Refusal, name: string, tenantId: string): Problem => {
  const next = conflicts[result.code];
  const about = `the request for the tenant ${JSON.stringify(name.slice(0, 60))} was refused: `;
  if (next !== undefined)
    return new Problem(409, result.code, about + result.message, next, {
      tenantId,
      ...(result.state === undefined ? {} : { state: result.state }),
    });
  const field = /^([a-zA-Z.]+): /.exec(result.message)?.[1];
  return new Problem(
    422,
    result.code,
    about + result.message,
    "correct the field and send a new request with a key of its own",
    field === undefined ? { tenantId } : { tenantId, field },
  );
};
