import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type Answer, call } from "../../api/call.ts";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { Heading } from "../../parts/heading.tsx";
import { Pages } from "../../parts/pages.tsx";
import { State } from "../../parts/state.tsx";
import { tabLink } from "../../parts/tabs.ts";
import { Ago } from "../../parts/time.tsx";

type Tenant = Answer<"GET /v1/tenants">["items"][number];

const views = [
  ["", "All"],
  ["ready", "Ready"],
  ["provisioning,compensating,removing", "Changing"],
  ["suspended", "Suspended"],
  ["stuck", "Stuck"],
  ["rolled-back,removed", "Gone"],
] as const;

const columns: readonly Column<Tenant>[] = [
  {
    title: "Tenant",
    cell: ({ tenantId, name, slug }) => (
      <>
        <Link className="row-link" to="/tenants/$tenant" params={{ tenant: tenantId }}>
          {name}
        </Link>
        <br />
        <span className="soft mono">{slug}</span>
      </>
    ),
  },
  {
    title: "State",
    cell: ({ state, degraded, running }) => (
      <span className="row">
        <State of={state} />
        {degraded !== null && <State of="degraded" />}
        {running !== null && <State of={running.kind} tone="busy" />}
      </span>
    ),
  },
  { title: "Tier", cell: ({ tier }) => tier },
  { title: "Storage", cell: ({ storageType }) => storageType },
  { title: "Made", cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: "Changed", cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
];

/** Every tenant, newest first. */
export const Tenants = () => {
  const search = useSearch({ from: "/tenants" });
  const { state, text } = search;
  const navigate = useNavigate({ from: "/tenants" });
  const query = useInfiniteQuery({
    queryKey: ["tenants", search],
    queryFn: ({ pageParam, signal }) =>
      call("GET /v1/tenants", {
        query: {
          ...(state === undefined ? {} : { state }),
          ...(text === undefined ? {} : { text }),
          ...(pageParam === undefined ? {} : { cursor: pageParam }),
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: 5_000,
  });
  return (
    <>
      <Heading title="Tenants" note="Whoever has, or had, a place here; newest first.">
        <Link to="/tenants/new" className="button main">
          New tenant
        </Link>
      </Heading>
      <nav className="tabs" aria-label="By state">
        {views.map(([value, title]) => (
          <Link
            key={title}
            to="/tenants"
            search={{ ...search, state: value === "" ? undefined : value }}
            {...tabLink}
          >
            {title}
          </Link>
        ))}
      </nav>
      <search className="row">
        <Field label="Text">
          {(wiring) => (
            <input
              {...wiring}
              data-filter
              className="input"
              defaultValue={text ?? ""}
              placeholder="name or slug"
              onChange={(event) =>
                void navigate({
                  search: { ...search, text: event.target.value.trim() || undefined },
                  replace: true,
                })
              }
            />
          )}
        </Field>
      </search>
      <Pages
        query={query}
        empty={
          <Empty title="No tenant is like that.">
            {state === undefined ? "This installation has none yet. " : "Look at all of them, or "}
            <Link to="/tenants/new">ask for one</Link>: its plan is shown before anything is made.
          </Empty>
        }
      >
        {(rows) => (
          <DataTable caption="Tenants" columns={columns} rows={rows} keyOf={({ tenantId }) => tenantId} />
        )}
      </Pages>
    </>
  );
};
