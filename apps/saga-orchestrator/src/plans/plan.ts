/**
 * Plans: what an act would do, shown by itself and by the act before it is confirmed. Whether it would be refused is
 * asked of the very function that would refuse it (dry-run.ts); the words are plans/words.ts.
 */
import {
  type StorageModel,
  shardOf,
  slugOf,
  specOf,
  type TenantId,
  type TenantProvisioningRequested,
  tenantIdOf,
} from "@deeplens/contracts";
import type { z } from "zod";
import type { ApiContext } from "../api/context.ts";
import { refuseUnknownCredentials } from "../api/known-credentials.ts";
import { Problem } from "../api/problem.ts";
import type { planSchema } from "../api/schemas.ts";
import { changedSagaOf, type TenantView } from "../api/tenant-store.ts";
import { lookNow } from "../health/look-now.ts";
import type { PartHealth } from "../health/probe-rows.ts";
import { finalBackupStep } from "../machine/act-table.ts";
import type { TenantAct } from "../saga/act-answers.ts";
import { dryRun, type Rehearsed } from "./dry-run.ts";
import { thingsOf } from "./resources.ts";
import { type Use, useOf } from "./use.ts";
import { type About, looksAtUse, type PlannedAct, type Remark, wordsOf } from "./words.ts";

export type Plan = z.infer<typeof planSchema>;

/** The plan of an act on a tenant that was made; looks at its parts where the act depends on what they use. */
export const planAct = async (
  context: ApiContext,
  tenant: TenantView,
  act: PlannedAct,
  told: Pick<TenantAct, "graceMs" | "restore" | "tier" | "parts" | "overlapMs">,
): Promise<Plan> => {
  const { slug, tenantId } = tenant;
  const sagaId = changedSagaOf(tenant);
  const rehearsed = await dryRun(context, shardOf(slug, context.shards), {
    kind: "tenant",
    act,
    slug,
    tenantId,
    ...(sagaId === undefined ? {} : { sagaId }),
    ...told,
    by: "plan",
    reason: "a plan",
  });
  const begins = rehearsed.result.ok && !rehearsed.result.repeated;
  const { use, warnings, template }: UseNow =
    begins && looksAtUse.has(act) ? await useNow(context, tenant) : { use: [], warnings: [] };
  const words = wordsOf(act, { tenant, told, purgeAt: purgeAtOf(rehearsed), use, template });
  const plan = { ...nothing, act, slug, tenantId, title: words.title };
  if (!begins) return { ...plan, already: rehearsed.result.ok, refusals: refusalsOf(rehearsed) };
  return {
    ...plan,
    refusals: [...(words.refusals ?? [])],
    warnings: [...warnings, ...(words.warnings ?? [])],
    does: [...words.does],
    goes: [...(words.goes ?? [])],
    use: [...use],
    steps: stepsOf(rehearsed),
    wayBack: words.wayBack,
  };
};

/** The plan of a request for a tenant: every name that it would make, if its id is this one. */
export const planRequest = async (
  context: ApiContext,
  source: string,
  request: TenantProvisioningRequested,
): Promise<Plan> => {
  const named = slugOf(request.name);
  const slug = named.ok ? named.slug : "";
  const tenantId = tenantIdOf(source, request.requestId);
  const rehearsed = await dryRun(context, shardOf(named.ok ? slug : request.name, context.shards), {
    kind: "request",
    source,
    request,
  });
  const spec = specOf(request);
  const plan = {
    ...nothing,
    act: "create",
    slug,
    tenantId,
    title: `create ${slug === "" ? JSON.stringify(request.name) : slug} (${tenantId})`,
  };
  const begins = rehearsed.result.ok && !rehearsed.result.repeated;
  if (!begins || !spec.ok) return { ...plan, already: rehearsed.result.ok, refusals: refusalsOf(rehearsed) };
  const { tier, storage } = spec.spec;
  return {
    ...plan,
    title: `${plan.title}: tier ${tier}, storage ${storage.type}`,
    refusals: await credentialsUnknown(context, storage, tenantId),
    does: [
      "database, storage and vectors are made at once, then the backup, then the tenant in Identity",
      "a part that can't be made has all of it rolled back; from Identity on there is no way back but a removal",
    ],
    makes: [...thingsOf(context.installation, tenantId, spec.spec)],
    steps: stepsOf(rehearsed),
    wayBack: `tenantctl remove ${slug}`,
  };
};

const nothing = {
  already: false,
  refusals: [],
  warnings: [],
  does: [],
  makes: [],
  goes: [],
  use: [],
  steps: [],
  wayBack: null,
} satisfies Partial<Plan>;

const credentialsUnknown = async (
  { dropOffs }: ApiContext,
  storage: StorageModel,
  tenantId: TenantId,
): Promise<Remark[]> => {
  try {
    await refuseUnknownCredentials(dropOffs, storage, tenantId);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [{ code: error.body.code, message: error.body.detail }];
  }
};

interface UseNow {
  readonly use: readonly Use[];
  readonly warnings: readonly Remark[];
  readonly template?: About["template"];
}

/** What its parts use now; or, as a warning, that it can't be told. */
const useNow = async (context: ApiContext, tenant: TenantView): Promise<UseNow> => {
  if (tenant.state !== "ready")
    return {
      use: [],
      warnings: [unknownUse(`the tenant is ${tenant.state}: only a ready one is looked at`)],
    };
  const parts = await lookNow(context, tenant.tenantId);
  const blind = parts.filter(({ healthy }) => healthy !== true).map(({ part }) => part);
  const unknown = parts.length === 0 ? ["its parts"] : blind;
  return {
    use: useOf(parts),
    template: templateOf(parts),
    warnings:
      unknown.length === 0
        ? []
        : [
            unknownUse(
              `${unknown.join(", ")} could not be looked at, see \`tenantctl health ${tenant.slug}\``,
            ),
          ],
  };
};

const templateOf = (parts: readonly PartHealth[]): About["template"] => {
  const facts = parts.find(({ part }) => part === "database")?.facts;
  const [has, newest] = [facts?.["postgres.template"], facts?.["postgres.newestTemplate"]];
  return has === undefined || newest === undefined ? undefined : { has, newest };
};

const unknownUse = (why: string): Remark => ({
  code: "use-unknown",
  message: `what the tenant uses now is not known: ${why}`,
});

const refusalsOf = ({ result }: Rehearsed): Remark[] =>
  result.ok ? [] : [{ code: result.code, message: result.message }];

/** The steps of the saga that would begin, without those that would be left out. */
const stepsOf = ({ result, batch }: Rehearsed): string[] => {
  const saga = result.ok && !result.repeated ? batch.sagas.get(result.sagaId) : undefined;
  return saga === undefined
    ? []
    : Object.keys(saga.steps).filter((step) => !saga.facts.leftOut.includes(step));
};

/** When a removal would purge; undefined where that is at once. */
const purgeAtOf = ({ result, batch }: Rehearsed): string | undefined => {
  const saga = result.ok ? batch.sagas.get(result.sagaId) : undefined;
  return saga?.facts.leftOut.includes(finalBackupStep) === true ? undefined : saga?.request.act?.purgeAt;
};
