import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { Trouble } from "../parts/trouble.tsx";

/** What an act is, to a person: shown first, asked why, then done. */
export interface ActWords {
  /** The button's: `Retry`. */
  readonly title: string;
  /** What it will do, where no plan says so. */
  readonly does?: ReactNode;
  readonly danger?: boolean;
}

/** Asks for the reason of an act, does it, and says what came of it. */
export const ActDialog = ({
  act,
  onClose,
  run,
  children,
  ready = true,
}: {
  readonly act: ActWords;
  readonly onClose: () => void;
  readonly run: (reason: string) => Promise<unknown>;
  /** What else is to be said or shown before. */
  readonly children?: ReactNode;
  readonly ready?: boolean;
}) => {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const acting = useMutation({
    mutationFn: run,
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries(),
  });
  const isShort = reason.trim().length < 3;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isShort && ready) acting.mutate(reason.trim());
  };
  return (
    <Dialog title={act.title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        {act.does}
        {children}
        <Field label="Why" hint="three characters or more; it is kept in the history and the audit log">
          {(wiring) => (
            <input
              {...wiring}
              className="input"
              value={reason}
              maxLength={1_000}
              required
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
        {acting.error !== null && <Trouble error={acting.error} />}
        <div className="row">
          <button
            type="submit"
            className={act.danger === true ? "button danger" : "button main"}
            disabled={isShort || !ready || acting.isPending}
          >
            {acting.isPending ? "Waiting for the answer…" : act.title}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
};
