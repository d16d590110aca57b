import type { ApiContext } from "../context.ts";
import { pagingOf } from "../cursor.ts";
import { readDebts } from "../debts.ts";
import {
  auditEntrySchema,
  auditQuerySchema,
  debtSchema,
  groupsSchema,
  overviewSchema,
} from "../desk-schemas.ts";
import { readAudit } from "../desk-store.ts";
import { createDesk } from "../overview.ts";
import { page, pageQuerySchema, problemSchema } from "../schemas.ts";
import type { Api } from "../zod-types.ts";

const errors = { 400: problemSchema, 401: problemSchema };
const reading = <Schema>(summary: string, schema: Schema) => ({
  tags: ["desk"],
  summary,
  response: { 200: schema, ...errors },
});

const overview = reading(
  "Is anything wrong? Counts of everything that an operator looks after",
  overviewSchema,
);
const groups = reading(
  "Sagas that failed and that nobody has put right, by their cause; each group's sagas: /v1/sagas?failed=true&step=&code=",
  groupsSchema,
);
const debts = {
  ...reading("Undos that failed for good: what is left where, and what to do", page(debtSchema)),
  querystring: pageQuerySchema,
};
const audit = {
  ...reading(
    "Who did what, when, why, from where, and what came of it; newest first",
    page(auditEntrySchema),
  ),
  querystring: auditQuerySchema,
};

/** What the operators' desk reads beside tenants and sagas. */
export const deskRoutes = (app: Api, context: ApiContext): void => {
  const { db, cursors } = context;
  const desk = createDesk(context);
  app.get("/v1/overview", { schema: overview }, () => desk.overview());
  app.get("/v1/groups", { schema: groups }, async () => ({ items: await desk.groups() }));
  app.get("/v1/debts", { schema: debts }, ({ query }) => readDebts(db, pagingOf(cursors, "debts", query)));
  app.get("/v1/audit", { schema: audit }, ({ query }) =>
    readAudit(db, query, pagingOf(cursors, "audit", query)),
  );
};
