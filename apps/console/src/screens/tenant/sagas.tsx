import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "../../api/call.ts";
import { Loaded } from "../../parts/loaded.tsx";
import { State } from "../../parts/state.tsx";
import { Ago } from "../../parts/time.tsx";
import type { Tenant } from "./tenant.tsx";

/** What happened to a tenant: its sagas, newest first. */
export const TenantSagas = ({ tenant: { slug, tenantId } }: { readonly tenant: Tenant }) => {
  const query = useQuery({
    queryKey: ["sagas", "of", slug],
    queryFn: ({ signal }) => call("GET /v1/sagas", { query: { slug, limit: 50 }, signal }),
    refetchInterval: 5_000,
  });
  return (
    <section className="panel" aria-labelledby="sagas">
      <h2 id="sagas">What happened to it</h2>
      <Loaded query={query}>
        {({ items }) => (
          <ul className="stack-tight">
            {items
              .filter((saga) => saga.tenantId === tenantId)
              .map((saga) => (
                <li key={saga.sagaId} className="row">
                  <Link className="row-link" to="/sagas/$sagaId" params={{ sagaId: saga.sagaId }}>
                    {saga.kind}
                  </Link>
                  <State of={saga.status} />
                  <span className="soft small">
                    <Ago at={saga.createdAt} />
                  </span>
                  {saga.error !== null && <span className="small">{saga.error.code}</span>}
                </li>
              ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
};
