import type { ApiClient, Tenant, TenantActName } from "@deeplens/client/api";
import { ApiProblem } from "@deeplens/client/api";
import type { Session } from "./session.ts";
import { shown } from "./text.ts";

/** What became of one tenant; the saga has the whole story. */
interface Result {
  readonly slug: string;
  readonly outcome: "done" | "failed" | "refused";
  readonly sagaId: string | null;
  readonly message: string | null;
}

export interface Results {
  readonly results: readonly Result[];
  /** Those that were left as they are, because one before them failed. */
  readonly notBegun: readonly string[];
}

const atOnce = 4;

/** One first, then a tenth, then the rest. */
export const wavesOf = <T>(all: readonly T[]): readonly (readonly T[])[] => {
  const tenth = Math.max(1, Math.ceil(all.length / 10));
  return [all.slice(0, 1), all.slice(1, 1 + tenth), all.slice(1 + tenth)].filter((wave) => wave.length > 0);
};

/**
 * An act on many tenants in waves, a saga for each. It begins nothing more once one has failed, or Ctrl+C was pressed;
 * what was begun goes on, with or without this process. What it has done is seen in the tenants themselves: the same
 * command, given again, goes on with the others.
 */
export const rollOut = async (
  { out, world }: Pick<Session<unknown>, "out" | "world">,
  api: ApiClient,
  tenants: readonly Tenant[],
  act: TenantActName,
  reason: string,
): Promise<Results> => {
  const results: Result[] = [];
  const begun = new Set<string>();
  const stopped = (): boolean =>
    world.interrupted.aborted || results.some(({ outcome }) => outcome !== "done");
  for (const wave of wavesOf(tenants)) {
    const queue = [...wave];
    const lane = async (): Promise<void> => {
      for (let tenant = queue.shift(); tenant !== undefined && !stopped(); tenant = queue.shift()) {
        begun.add(tenant.slug);
        const result = await one(api, tenant, act, reason);
        results.push(result);
        out.progress.write(
          `[${results.length} of ${tenants.length}] ${result.slug} ${result.outcome}${result.message === null ? "" : `: ${shown(result.message)}`}\n`,
        );
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }
  return { results, notBegun: tenants.map(({ slug }) => slug).filter((slug) => !begun.has(slug)) };
};

const one = async (
  api: ApiClient,
  { slug, tenantId }: Tenant,
  act: TenantActName,
  reason: string,
): Promise<Result> => {
  try {
    const { sagaId } = await api.actOnTenant(tenantId, act, { tenantId, reason });
    if (sagaId === null)
      return {
        slug,
        outcome: "failed",
        sagaId,
        message: "no orchestrator took it yet: it waits in the inbox",
      };
    for await (const event of api.follow(sagaId)) if (event.type === "end") break;
    const { status, error } = await api.saga(sagaId);
    return {
      slug,
      outcome: status === "done" ? "done" : "failed",
      sagaId,
      message: error === null ? null : `${error.message} (${error.code})`,
    };
  } catch (error) {
    const refused = error instanceof ApiProblem && error.problem.status < 500;
    return { slug, outcome: refused ? "refused" : "failed", sagaId: null, message: (error as Error).message };
  }
};
