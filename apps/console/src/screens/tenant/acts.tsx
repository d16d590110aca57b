import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ActDialog, type ActWords } from "../../acts/act-dialog.tsx";
import { call } from "../../api/call.ts";
import { Field } from "../../parts/field.tsx";
import { Loaded } from "../../parts/loaded.tsx";
import { PlanView } from "../../parts/plan-view.tsx";
import type { Tenant } from "./tenant.tsx";

type Act = "suspend" | "resume" | "remove" | "restore" | "backup" | "drill";

const words: Readonly<Record<Act, ActWords>> = {
  suspend: { title: "Suspend" },
  resume: { title: "Resume" },
  backup: { title: "Back up", does: <p>Takes a backup now, and reads it back.</p> },
  drill: {
    title: "Drill",
    does: <p>Restores the newest backup for a trial, compares, and leaves nothing of it.</p>,
  },
  remove: { title: "Remove", danger: true },
  restore: { title: "Take the removal back" },
};

/** What makes sense for a tenant as it is. */
const actsOf = ({ state, running, removal }: Tenant): readonly Act[] => {
  if (removal !== null && removal.slugHeldUntil === null) return ["restore"];
  if (running !== null) return [];
  if (state === "ready") return ["backup", "drill", "suspend", "remove"];
  return state === "suspended" ? ["resume", "remove"] : [];
};

/** What can be done with a tenant as it is. */
export const TenantActs = ({ tenant }: { readonly tenant: Tenant }) => {
  const [open, setOpen] = useState<Act>();
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const { tenantId, slug } = tenant;
  const run = (act: Act) => async (reason: string) => {
    const { sagaId } = await call(`POST /v1/tenants/{tenant}/${act}`, {
      path: { tenant: slug },
      body: { tenantId, reason },
    });
    if (sagaId !== null) await navigate({ to: "/sagas/$sagaId", params: { sagaId } });
  };
  return (
    <>
      {actsOf(tenant).map((act) => (
        <button
          key={act}
          type="button"
          className={words[act].danger === true ? "button danger" : "button"}
          onClick={() => {
            setTyped("");
            setOpen(act);
          }}
        >
          {words[act].title}
        </button>
      ))}
      {open !== undefined && (
        <ActDialog
          act={words[open]}
          run={run(open)}
          onClose={() => setOpen(undefined)}
          ready={open !== "remove" || typed === slug}
        >
          {open !== "backup" && open !== "drill" && <ActPlan slug={slug} act={open} />}
          {open === "remove" && (
            <Field label={`The tenant's slug, to be sure: ${slug}`}>
              {(wiring) => (
                <input
                  {...wiring}
                  className="input mono"
                  autoComplete="off"
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                />
              )}
            </Field>
          )}
        </ActDialog>
      )}
    </>
  );
};

const ActPlan = ({
  slug,
  act,
}: {
  readonly slug: string;
  readonly act: Exclude<Act, "backup" | "drill">;
}) => {
  const query = useQuery({
    queryKey: ["plan", slug, act],
    queryFn: ({ signal }) =>
      call("POST /v1/tenants/{tenant}/plans/{act}", { path: { tenant: slug, act }, body: {}, signal }),
    gcTime: 0,
    retry: false,
  });
  return <Loaded query={query}>{(plan) => <PlanView plan={plan} />}</Loaded>;
};
