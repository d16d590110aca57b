import { useState } from "react";
import { ActDialog, type ActWords } from "../../acts/act-dialog.tsx";
import { call } from "../../api/call.ts";
import type { Saga } from "./follow.ts";

type Act = "retry" | "resume" | "abort";

const words: Readonly<Record<Act, ActWords>> = {
  retry: {
    title: "Retry",
    does: <p>Runs the failed step again, with all its tries. What was made stays and is looked at first.</p>,
  },
  resume: { title: "Resume", does: <p>Goes on from where the saga stopped, in the direction it had.</p> },
  abort: {
    title: "Abort",
    danger: true,
    does: (
      <p>
        Undoes everything that was commanded, newest first. Only what this saga made is removed; what belongs
        to somebody else is left alone and named in the receipt.
      </p>
    ),
  },
};

/** The acts that make sense for a saga as it is; the API refuses what the saga has moved on from. */
const actsOf = ({ status, kind }: Saga): readonly Act[] => {
  if (status === "stuck") return kind === "provision" ? ["retry", "resume", "abort"] : ["retry", "resume"];
  return status === "running" ? ["abort"] : [];
};

export const SagaActs = ({ saga }: { readonly saga: Saga }) => {
  const [open, setOpen] = useState<Act>();
  const { sagaId } = saga;
  const run = (act: Act) => (reason: string) =>
    call(`POST /v1/sagas/{sagaId}/${act}`, { path: { sagaId }, body: { reason } });
  return (
    <>
      {actsOf(saga).map((act) => (
        <button
          key={act}
          type="button"
          className={act === "abort" ? "button danger" : "button main"}
          onClick={() => setOpen(act)}
        >
          {words[act].title}
        </button>
      ))}
      {open !== undefined && (
        <ActDialog act={words[open]} run={run(open)} onClose={() => setOpen(undefined)}>
          <p className="small soft">
            {saga.kind} {saga.slug}, tenant <code>{saga.tenantId}</code>
          </p>
        </ActDialog>
      )}
    </>
  );
};
