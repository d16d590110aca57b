import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Answer, call } from "../../api/call.ts";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { Heading } from "../../parts/heading.tsx";
import { Pages } from "../../parts/pages.tsx";
import { Time } from "../../parts/time.tsx";

type Line = Answer<"GET /v1/audit">["items"][number];

const columns: readonly Column<Line>[] = [
  { title: "When", cell: ({ at }) => <Time at={at} /> },
  { title: "Who", cell: ({ actor }) => actor },
  { title: "What", cell: ({ action }) => <code>{action}</code> },
  { title: "On", kind: "long", cell: ({ subject }) => <code className="small">{subject}</code> },
  { title: "Why", kind: "long", cell: ({ reason }) => reason ?? <span className="soft">not said</span> },
  { title: "From", cell: ({ origin }) => origin ?? <span className="soft">inside</span> },
  { title: "Outcome", cell: ({ outcome }) => outcome },
];

const filters = [
  ["actor", "Who", "api"],
  ["action", "What", "saga."],
  ["subject", "On", "a tenant's or saga's id"],
] as const;

/** Who did what, when, why, from where, and what came of it. Nothing is ever taken out of it. */
export const Audit = () => {
  const search = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const query = useInfiniteQuery({
    queryKey: ["audit", search],
    queryFn: ({ pageParam, signal }) =>
      call("GET /v1/audit", {
        query: { ...search, ...(pageParam === undefined ? {} : { cursor: pageParam }) } as Record<
          string,
          string
        >,
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: 10_000,
  });
  return (
    <>
      <Heading title="Audit" note="Every act, newest first. Lines are only ever added." />
      <search className="row">
        {filters.map(([name, label, example]) => (
          <Field key={name} label={label}>
            {(wiring) => (
              <input
                {...wiring}
                {...(name === "actor" ? { "data-filter": true } : {})}
                className="input"
                placeholder={example}
                defaultValue={search[name] ?? ""}
                onChange={(event) =>
                  void navigate({
                    search: { ...search, [name]: event.target.value.trim() || undefined },
                    replace: true,
                  })
                }
              />
            )}
          </Field>
        ))}
      </search>
      <Pages
        query={query}
        empty={
          <Empty title="No line is like that.">
            Take a part of the filter away; every act leaves a line.
          </Empty>
        }
      >
        {(lines) => (
          <DataTable caption="Audit log" columns={columns} rows={lines} keyOf={({ id }) => String(id)} />
        )}
      </Pages>
    </>
  );
};
