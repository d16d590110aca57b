import type { z } from "zod";
import type { TenantAct } from "../../saga/act-answers.ts";
import { Problem } from "../problem.ts";
import type { tenantActSchema } from "../schemas.ts";

type Act = TenantAct["act"];
type Told = Omit<z.infer<typeof tenantActSchema>, "tenantId" | "reason">;

/** What an act is told beside its reason: which acts take it, and what to say where it is missing from one that needs it. */
const takenBy: Readonly<
  Record<keyof Told, { readonly acts: readonly Act[]; readonly needed: readonly Act[]; readonly say: string }>
> = {
  graceMs: {
    acts: ["remove", "grace"],
    needed: ["grace"],
    say: "say how long after its beginning the removal is to purge",
  },
  restore: {
    acts: ["restore-backup"],
    needed: ["restore-backup"],
    say: "say which backup, and which parts of it",
  },
  tier: { acts: ["tier"], needed: ["tier"], say: "say which tier to give" },
  parts: { acts: ["rotate"], needed: [], say: "say of what" },
  overlapMs: {
    acts: ["rotate", "overlap"],
    needed: ["overlap"],
    say: "say how long after the new ones were given the old credentials are to end",
  },
  credentialRef: {
    acts: ["replace-credentials"],
    needed: ["replace-credentials"],
    say: "drop them off with POST /v1/secrets, and name that reference",
  },
};

/** Throws Problem where the act is told what it does not take, or not what it needs. */
export const holdTold = (act: Act, told: Told): void => {
  for (const [field, { acts: takers, needed, say }] of Object.entries(takenBy)) {
    const given = told[field as keyof Told] !== undefined;
    if (given && !takers.includes(act))
      throw new Problem(400, "request-malformed", `${field}: ${act} takes none`, "leave it out", { field });
    if (!given && needed.includes(act))
      throw new Problem(400, "request-malformed", `${field}: is missing`, say, { field });
  }
};
