/** The end of what `npm start` prints: what `acme` has, how long each part took, and where to go from here. */

/** What of `tenantctl status --json` is shown. */
export type TenantStatus = {
  readonly slug: string;
  readonly tenantId: string;
  readonly state: string;
  readonly resources: { readonly [name: string]: string };
  readonly saga: Saga | null;
};
type Saga = {
  readonly sagaId: string;
  readonly slug: string;
  readonly status: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly steps: readonly {
    readonly step: string;
    readonly phase: string;
    readonly durationMs: number | null;
  }[];
};

/** in: the tenant, with its saga where it is still kept. Lines of text. */
export function acmeText(installation: string, tenant: TenantStatus): string {
  const flag = installation === "deeplens" ? "" : ` --installation ${installation}`;
  const npmFlag = flag === "" ? "" : ` --${flag}`;
  const resources = Object.entries(tenant.resources).sort(([a], [b]) => a.localeCompare(b));
  return [
    `what ${tenant.slug} has (${tenant.state}, ${tenant.tenantId}):`,
    ...table(resources),
    "",
    ...(tenant.saga === null ? [] : partsOf(tenant.saga)),
    "next:",
    ...table([
      [`npx tenantctl status ${tenant.slug}${flag}`, "its state and its parts"],
      [`npx tenantctl credentials ${tenant.slug}${flag}`, "its passwords and keys"],
      [`npx tenantctl create "Acme Two"${flag}`, "another tenant, with live progress"],
      [`npx tenantctl saga ${tenant.slug}${flag}`, "what happened, as a timeline"],
      [`npm stop${npmFlag}`, "ends everything and keeps the data"],
    ]),
    "",
  ].join("\n");
}

function partsOf(saga: Saga): string[] {
  const rows = saga.steps.map((step) => [
    step.step,
    step.durationMs === null ? step.phase : `${(step.durationMs / 1_000).toFixed(1)} s`,
  ]);
  const wholeMs = saga.finishedAt === null ? 0 : Date.parse(saga.finishedAt) - Date.parse(saga.createdAt);
  return [
    `how long each part of ${saga.slug} took:`,
    ...table([...rows, ["all of it", `${(wholeMs / 1_000).toFixed(1)} s`]]),
    "",
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(0, ...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", ...rest]) => `  ${first.padEnd(width)}  ${rest.join("  ")}`);
}
