import { shardOf } from "@deeplens/contracts";
import type { TenantAct } from "../../saga/act-answers.ts";
import { changedMeanwhile } from "../../saga/acts.ts";
import { askerOf } from "../asker.ts";
import type { ApiContext } from "../context.ts";
import { versionIn } from "../etag.ts";
import { putIntoInbox } from "../inbox-row.ts";
import { refuseUnusable } from "../known-credentials.ts";
import { noSuchTenant, Problem } from "../problem.ts";
import {
  actHeadersSchema,
  problemSchema,
  tenantActAnswerSchema,
  tenantActSchema,
  tenantParamsSchema,
} from "../schemas.ts";
import { unstorableField } from "../storable.ts";
import { changedSagaOf, findTenant } from "../tenant-store.ts";
import type { Api } from "../zod-types.ts";
import { holdTold } from "./told.ts";

type Act = TenantAct["act"];

const acts: Readonly<Record<Act, string>> = {
  suspend: "Close every way into a tenant",
  resume: "Open a suspended tenant again",
  remove: "Remove a tenant: suspend, last backup, grace period, purge",
  restore: "Take a removal back, inside its grace period",
  purge: "End the grace period of a removal now",
  grace: "Move the end of a removal's grace period: so long after its beginning",
  backup: "Take a backup of a tenant, and read it back",
  drill: "Restore a tenant's newest backup for a trial, compare, and leave nothing of it",
  backups: "List a tenant's backups: they are in the receipt of the saga",
  "restore-backup": "Make a tenant what one of its backups holds",
  migrate: "Move a tenant's database to the newest version of the template",
  tier: "Give a tenant another tier: its parts are limited by it",
  "restore-back": "Make a tenant what it was before its last restore, or before the last such switch",
  "restore-end": "Drop what the last restore replaced: from then on there is no switching back",
  "replace-credentials":
    "Have a tenant's own storage opened by other credentials, proven before they take the place of those before",
  repair:
    "Make again what a tenant has lost with one of the services: empty, with the same names and credentials",
  rotate: "Give a tenant new credentials, beside the old ones for a while",
  "end-rotation": "End the old credentials of a rotation now",
  overlap: "Move the end of the old credentials: so long after the new ones were given",
  release: "Give the name of a removed tenant on, once the second look has found nothing",
};

const schemaOf = (summary: string) => ({
  tags: ["acts"],
  summary,
  params: tenantParamsSchema,
  headers: actHeadersSchema,
  body: tenantActSchema,
  response: {
    200: tenantActAnswerSchema.meta({ description: "it was so already: nothing was begun" }),
    202: tenantActAnswerSchema.meta({
      description: "its saga runs; or, without a saga's id, the act waits: see /v1/inbox/{inboxId}",
    }),
    400: problemSchema,
    401: problemSchema,
    404: problemSchema,
    422: problemSchema.meta({ description: "the tenant can't have these credentials" }),
    409: problemSchema.meta({
      description: "another tenant has the name, another act runs, or the state is wrong",
    }),
    412: problemSchema.meta({
      description: "it is not as it was when its ETag was given; `state` says what it is",
    }),
  },
});

/** POST /v1/tenants/{tenant}/suspend, resume, remove and so on: rows in the inbox of the tenant's shard. */
export const tenantActRoutes = (app: Api, context: ApiContext): void => {
  for (const act of Object.keys(acts) as Act[]) addAct(app, context, act);
};

const addAct = (app: Api, context: ApiContext, act: Act): void => {
  app.post(`/v1/tenants/:tenant/${act}`, { schema: schemaOf(acts[act]) }, async (request, reply) => {
    const { params, headers, body } = request;
    const { reason, tenantId, ...told } = body;
    holdTold(act, told);
    const field = unstorableField(body);
    if (field !== undefined)
      throw new Problem(400, "request-malformed", `${field}: has a zero byte`, "remove it", { field });
    const tenant = await findTenant(context.db, params.tenant);
    if (tenant === undefined) throw noSuchTenant(params.tenant);
    const { slug } = tenant;
    if (told.credentialRef !== undefined) {
      const provider = tenant.resources["storage.provider"];
      await refuseUnusable(context.dropOffs, told.credentialRef, provider, tenantId, "credentialRef");
    }
    const asker = askerOf(request);
    const ifRevision = versionIn(headers["if-match"]);
    const sagaId = changedSagaOf(tenant);
    const inboxId = await putIntoInbox(context.db, shardOf(slug, context.shards), {
      kind: "tenant",
      act,
      slug,
      tenantId,
      ...(sagaId === undefined ? {} : { sagaId }),
      ...told,
      ...(ifRevision === undefined ? {} : { ifRevision }),
      ...asker,
      reason,
    });
    const result = await context.inbox.resultOf(inboxId, context.waitMs);
    context.log.info({ tenant: slug, tenantId, inboxId, act, by: asker.by, result }, "an operator acted");

    if (result === undefined)
      return reply
        .code(202)
        .header("location", `/v1/inbox/${inboxId}`)
        .send({ inboxId, slug, tenantId, sagaId: null, status: "waiting", repeated: false });
    if (!result.ok && result.code === "tenant-unknown") throw noSuchTenant(params.tenant);
    if (!result.ok)
      throw new Problem(
        result.code === changedMeanwhile ? 412 : 409,
        result.code,
        `${act} of tenant ${slug} was refused: ${result.message}`,
        nextOf(result.code, slug),
        { tenantId: tenant.tenantId, ...(result.state === undefined ? {} : { state: result.state }) },
      );
    return reply
      .code(result.repeated ? 200 : 202)
      .header("location", `/v1/sagas/${result.sagaId}`)
      .send({
        inboxId,
        slug,
        tenantId: result.tenantId,
        sagaId: result.sagaId,
        status: result.status,
        repeated: result.repeated,
      });
  });
};

const nextOf = (code: string, slug: string): string => {
  switch (code) {
    case "act-running":
      return "wait until it has ended, or abort it; then send the act again";
    case "tenant-differs":
      return "look which tenant has the name now: GET /v1/tenants/{slug}; send the act with its id if it is meant";
    case "moved-on":
      return "send the act again";
    default:
      return `look at GET /v1/tenants/${slug}`;
  }
};
