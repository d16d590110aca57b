import { useState } from "react";
import { ActDialog } from "../../acts/act-dialog.tsx";
import { type Answer, call } from "../../api/call.ts";
import type { Tenant } from "./tenant.tsx";

type Shown = Answer<"POST /v1/tenants/{tenant}/credentials/reveal">;

const reveal = {
  title: "Show credentials",
  does: <p>Shows every password and key of this tenant here. That you did, and why, is recorded first.</p>,
};

/** The way to a tenant's secrets: shown on being asked, never kept. */
export const Credentials = ({ tenant: { slug, state } }: { readonly tenant: Tenant }) => {
  const [isAsking, setAsking] = useState(false);
  const [shown, setShown] = useState<Shown>();
  return (
    <section className="panel stack" aria-labelledby="credentials">
      <div className="row spread">
        <h2 id="credentials">Credentials</h2>
        {shown === undefined ? (
          <button
            type="button"
            className="button"
            disabled={state !== "ready"}
            onClick={() => setAsking(true)}
          >
            Show…
          </button>
        ) : (
          <button type="button" className="button" onClick={() => setShown(undefined)}>
            Hide
          </button>
        )}
      </div>
      {shown === undefined ? (
        <p className="soft">
          {state === "ready"
            ? "Stored encrypted. Showing them is an act that is recorded."
            : "They are released when the tenant is ready."}
        </p>
      ) : (
        <dl className="facts small">
          {Object.entries(shown.secrets).map(([name, value]) => (
            <div key={name} className="stack-tight">
              <dt>{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {isAsking && (
        <ActDialog
          act={reveal}
          onClose={() => setAsking(false)}
          run={async (reason) =>
            setShown(
              await call("POST /v1/tenants/{tenant}/credentials/reveal", {
                path: { tenant: slug },
                body: { reason },
              }),
            )
          }
        />
      )}
    </section>
  );
};
