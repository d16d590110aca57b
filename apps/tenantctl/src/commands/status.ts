import type { Saga, Tenant } from "@deeplens/client";
import { exitCodes } from "../exit-code.ts";
import { describeSaga, receiptOf } from "../saga-text.ts";
import { acting, type Commands } from "../session.ts";
import { tenantReference } from "../tenant-reference.ts";
import { describeTenant } from "../tenant-text.ts";

export const addStatus = (commands: Commands): void => {
  commands.program
    .command("status")
    .argument("<name>", "the tenant's name, slug or id")
    .description("show a tenant: its state, what it has, what it waits for")
    .addHelpText(
      "after",
      "\nExamples:\n  $ tenantctl status acme\n  $ tenantctl status acme --json | jq -r .state",
    )
    .action(
      acting<unknown, [string]>(commands, async ({ api, out }, name) => {
        const client = api();
        const tenant = await client.tenant(tenantReference(name));
        const saga = tenant.sagaId === null ? null : await client.saga(tenant.sagaId);
        out.result({ ...tenant, saga }, () => textOf(tenant, saga));
        return exitCodes.ok;
      }),
    );
};

const textOf = (tenant: Tenant, saga: Saga | null): string => {
  const parts = [describeTenant(tenant)];
  if (saga !== null) parts.push(describeSaga(saga, Date.now()));
  const receipt = saga === null ? [] : receiptOf(saga);
  if (saga !== null && receipt.length > 0)
    parts.push([saga.kind === "provision" ? "Rolled back" : "The receipt", ...receipt].join("\n"));
  return parts.join("\n\n");
};
