import { Link } from "@tanstack/react-router";
import type { Answer } from "../../api/call.ts";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { Ago } from "../../parts/time.tsx";

export type Group = Answer<"GET /v1/groups">["items"][number];

const columns: readonly Column<Group>[] = [
  {
    title: "Cause",
    cell: ({ step, code }) => (
      <Link className="row-link" to="/sagas" search={{ failed: "true", step: step ?? "-", code }}>
        {step ?? "no step"}: {code}
      </Link>
    ),
  },
  { title: "Sagas", kind: "number", cell: ({ count }) => <strong>{count.toLocaleString()}</strong> },
  {
    title: "Stand",
    cell: ({ statuses }) =>
      Object.entries(statuses)
        .map(([status, count]) => `${count} ${status}`)
        .join(", "),
  },
  { title: "Oldest", cell: ({ oldestAt }) => <Ago at={oldestAt} /> },
  { title: "Newest", cell: ({ newestAt }) => <Ago at={newestAt} /> },
  { title: "The newest says", kind: "long", cell: ({ example }) => <span className="small">{example}</span> },
];

/** Failures by what caused them. */
export const GroupTable = ({ groups }: { readonly groups: readonly Group[] }) => (
  <DataTable
    caption="Failed sagas by cause"
    columns={columns}
    rows={groups}
    keyOf={({ step, code }) => `${step} ${code}`}
  />
);
