import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Answer, call } from "../../api/call.ts";
import { Empty } from "../../parts/empty.tsx";
import { Heading } from "../../parts/heading.tsx";
import { Pages } from "../../parts/pages.tsx";
import { State } from "../../parts/state.tsx";
import { Ago } from "../../parts/time.tsx";

type Debt = Answer<"GET /v1/debts">["items"][number];

/** Undos that failed for good: what is left, and what to do by hand. */
export const Debts = () => {
  const query = useInfiniteQuery({
    queryKey: ["debts"],
    queryFn: ({ pageParam, signal }) =>
      call("GET /v1/debts", { query: pageParam === undefined ? {} : { cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: 5_000,
  });
  return (
    <>
      <Heading
        title="Debts"
        note="Undos that failed for good: something of a tenant that is gone may be left."
      />
      <Pages query={query} empty={<Empty title="Nothing is owed.">Every undo left nothing behind.</Empty>}>
        {(debts) => (
          <ul className="stack">
            {debts.map((debt) => (
              <li key={`${debt.sagaId} ${debt.step}`}>
                <DebtPanel debt={debt} />
              </li>
            ))}
          </ul>
        )}
      </Pages>
    </>
  );
};

const DebtPanel = ({ debt }: { readonly debt: Debt }) => (
  <section className="panel stack">
    <div className="row spread">
      <h2>
        <Link className="row-link" to="/sagas/$sagaId" params={{ sagaId: debt.sagaId }}>
          {debt.slug}: {debt.step}
        </Link>
      </h2>
      <State of={debt.code} tone="bad" />
    </div>
    <p>{debt.message}</p>
    <p className="small soft">
      {debt.kind}, since <Ago at={debt.since} />, {debt.attempts} tries; no other comes by itself: it waits
      for you
    </p>
    <div className="columns">
      <div>
        <h3>What may be left</h3>
        {debt.left.length === 0 ? (
          <p className="soft small">The ledger names nothing.</p>
        ) : (
          <ul className="small">
            {debt.left.map(({ kind, name, state }) => (
              <li key={`${kind} ${name}`}>
                <span className="soft">{kind}</span> <code>{name}</code> {state}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div>
        <h3>By hand</h3>
        <ol className="small numbered">
          {debt.manual.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </div>
    </div>
  </section>
);
