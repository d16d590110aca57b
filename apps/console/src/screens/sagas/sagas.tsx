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

type Saga = Answer<"GET /v1/sagas">["items"][number];

const views = [
  ["", "All"],
  ["running,compensating,waiting", "Under way"],
  ["stuck", "Stuck"],
  ["rolled-back,undone", "Undone"],
  ["ready,done,removed,closed", "Finished"],
] as const;

const columns: readonly Column<Saga>[] = [
  {
    title: "Saga",
    cell: ({ sagaId, slug, kind }) => (
      <Link className="row-link" to="/sagas/$sagaId" params={{ sagaId }}>
        {kind} {slug}
      </Link>
    ),
  },
  { title: "State", cell: ({ status }) => <State of={status} /> },
  {
    title: "Cause",
    kind: "long",
    cell: ({ error }) =>
      error === null ? (
        <span className="soft">none</span>
      ) : (
        <>
          <strong>
            {error.step ?? "by an operator"}: {error.code}
          </strong>
          <br />
          <span className="soft">{error.message.slice(0, 200)}</span>
        </>
      ),
  },
  { title: "Begun", cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: "Changed", cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
];

/** Every saga, newest first; what it is filtered by stands in the address. */
export const Sagas = () => {
  const search = useSearch({ from: "/sagas" });
  const navigate = useNavigate({ from: "/sagas" });
  const { status, step, code, failed, slug, text } = search;
  const query = useInfiniteQuery({
    queryKey: ["sagas", search],
    queryFn: ({ pageParam, signal }) =>
      call("GET /v1/sagas", {
        query: {
          ...(status === undefined ? {} : { status }),
          ...(step === undefined ? {} : { step }),
          ...(slug === undefined ? {} : { slug }),
          ...(code === undefined ? {} : { code }),
          ...(text === undefined ? {} : { text }),
          ...(failed === "true" ? { failed: "true" as const } : {}),
          ...(pageParam === undefined ? {} : { cursor: pageParam }),
        },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: 5_000,
  });
  const filter = (change: Partial<typeof search>): void =>
    void navigate({ search: { ...search, ...change }, replace: true });
  return (
    <>
      <Heading title="Sagas" note="Every act that makes or changes a tenant, newest first." />
      <nav className="tabs" aria-label="By state">
        {views.map(([value, title]) => (
          <Link
            key={title}
            to="/sagas"
            search={{ ...search, status: value === "" ? undefined : value }}
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
              placeholder="name, slug or message"
              onChange={(event) => filter({ text: event.target.value.trim() || undefined })}
            />
          )}
        </Field>
        <Field label="Failed at">
          {(wiring) => (
            <input
              {...wiring}
              className="input"
              defaultValue={step ?? ""}
              placeholder="storage"
              onChange={(event) => filter({ step: event.target.value.trim() || undefined })}
            />
          )}
        </Field>
        <Field label="Error code">
          {(wiring) => (
            <input
              {...wiring}
              className="input"
              defaultValue={code ?? ""}
              placeholder="bucket-owned-by-other"
              onChange={(event) => filter({ code: event.target.value.trim() || undefined })}
            />
          )}
        </Field>
        <label className="choice">
          <input
            type="checkbox"
            checked={failed === "true"}
            onChange={(event) => filter({ failed: event.target.checked ? "true" : undefined })}
          />
          <span>waits for somebody</span>
        </label>
      </search>
      <Pages
        query={query}
        empty={
          <Empty title="No saga is like that.">
            Take a part of the filter away, or <Link to="/tenants/new">ask for a tenant</Link>: that begins
            one.
          </Empty>
        }
      >
        {(rows) => <DataTable caption="Sagas" columns={columns} rows={rows} keyOf={({ sagaId }) => sagaId} />}
      </Pages>
    </>
  );
};
