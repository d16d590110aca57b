import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type Answer, call } from "../../api/call.ts";
import { Heading } from "../../parts/heading.tsx";
import { Loaded } from "../../parts/loaded.tsx";
import { State } from "../../parts/state.tsx";
import { Ago, Time } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { TenantActs } from "./acts.tsx";
import { Credentials } from "./credentials.tsx";
import { TenantSagas } from "./sagas.tsx";

export type Tenant = Answer<"GET /v1/tenants/{tenant}">;

/** One tenant: what it has, how it is, and what can be done with it. */
export const TenantScreen = () => {
  const { tenant } = useParams({ from: "/tenants/$tenant" });
  const query = useQuery({
    queryKey: ["tenant", tenant],
    queryFn: ({ signal }) => call("GET /v1/tenants/{tenant}", { path: { tenant }, signal }),
    refetchInterval: 3_000,
  });
  return (
    <Loaded query={query}>
      {(one) => (
        <>
          <Heading
            title={one.name}
            note={
              <>
                <State of={one.state} />
                {one.degraded !== null && <State of="degraded" />}
                <span>
                  <code>{one.slug}</code> · {one.tier} · {one.storageType} storage
                </span>
              </>
            }
          >
            <TenantActs tenant={one} />
          </Heading>
          <Standing tenant={one} />
          <div className="columns">
            <Health tenant={one} />
            <Resources tenant={one} />
            <Credentials tenant={one} />
          </div>
          <TenantSagas tenant={one} />
        </>
      )}
    </Loaded>
  );
};

const Standing = ({ tenant: { degraded, suspended, removal, running } }: { readonly tenant: Tenant }) => (
  <>
    {running !== null && (
      <p className="notice">
        <Link to="/sagas/$sagaId" params={{ sagaId: running.sagaId }}>
          {running.kind}
        </Link>{" "}
        is changing it now.
      </p>
    )}
    {degraded !== null && (
      <p className="notice bad">
        <strong>Degraded</strong> since <Time at={degraded.since} />: {degraded.reason}
      </p>
    )}
    {suspended !== null && (
      <p className="notice warn">
        <strong>Suspended</strong> since <Time at={suspended.since} />: {suspended.reason}
      </p>
    )}
    {removal !== null && removal.slugHeldUntil === null && (
      <p className="notice warn">
        <strong>Being removed</strong>: purged <Ago at={removal.purgeAt} /> (<Time at={removal.purgeAt} />
        ); until then it can be restored.
      </p>
    )}
  </>
);

const Health = ({ tenant: { tenantId, state } }: { readonly tenant: Tenant }) => {
  const queries = useQueryClient();
  const health = useQuery({
    queryKey: ["health", tenantId],
    queryFn: ({ signal }) => call("GET /v1/tenants/{tenant}/health", { path: { tenant: tenantId }, signal }),
    refetchInterval: 15_000,
  });
  const look = useMutation({
    mutationFn: () => call("POST /v1/tenants/{tenant}/health", { path: { tenant: tenantId } }),
    onSuccess: (seen) => queries.setQueryData(["health", tenantId], seen),
  });
  return (
    <section className="panel stack" aria-labelledby="health">
      <div className="row spread">
        <h2 id="health">Parts</h2>
        {state === "ready" && (
          <button type="button" className="button" disabled={look.isPending} onClick={() => look.mutate()}>
            {look.isPending ? "Looking…" : "Look now"}
          </button>
        )}
      </div>
      {look.error !== null && <Trouble error={look.error} />}
      <Loaded query={health}>
        {({ parts }) =>
          parts.length === 0 ? (
            <p className="soft">Nothing was looked at yet: that begins when the tenant is ready.</p>
          ) : (
            <ul className="stack">
              {parts.map((part) => (
                <li key={part.part} className="stack-tight">
                  <div className="row spread">
                    <strong>{part.part}</strong>
                    <State of={part.status} />
                  </div>
                  {part.reason !== null && part.status !== "well" && <p className="small">{part.reason}</p>}
                  <details>
                    <summary className="small soft">
                      {part.checkedAt === null ? (
                        "not looked at yet"
                      ) : (
                        <>
                          looked at <Ago at={part.checkedAt} />
                        </>
                      )}
                    </summary>
                    <dl className="facts small">
                      {Object.entries(part.facts).map(([name, value]) => (
                        <Fact key={name} name={name} value={value} />
                      ))}
                    </dl>
                  </details>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
};

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <>
    <dt>{name}</dt>
    <dd className="mono">{value}</dd>
  </>
);

const gib = 1024 ** 3;

const Resources = ({ tenant }: { readonly tenant: Tenant }) => (
  <section className="panel" aria-labelledby="resources">
    <h2 id="resources">What it has</h2>
    <dl className="facts small">
      {Object.entries(tenant.resources)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      {tenant.limits !== null && (
        <>
          <Fact name="storage quota" value={`${tenant.limits.storageBytes / gib} GiB`} />
          <Fact name="users" value={tenant.limits.users.toLocaleString()} />
          <Fact name="API calls a day" value={tenant.limits.apiCallsPerDay.toLocaleString()} />
        </>
      )}
      <dt>made</dt>
      <dd>
        <Time at={tenant.createdAt} />
      </dd>
      <Fact name="tenant id" value={tenant.tenantId} />
      <Fact name="revision" value={String(tenant.revision)} />
    </dl>
  </section>
);
