import { Link, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Empty } from "../../parts/empty.tsx";
import { Heading } from "../../parts/heading.tsx";
import { Loaded } from "../../parts/loaded.tsx";
import { State } from "../../parts/state.tsx";
import { tabLink } from "../../parts/tabs.ts";
import { Ago, Time } from "../../parts/time.tsx";
import { SagaActs } from "./acts.tsx";
import { type Saga, useSaga } from "./follow.ts";
import { Gantt } from "./gantt.tsx";
import { History } from "./history.tsx";
import "./saga.css";
import { segmentsOf } from "./segments.ts";
import { Steps } from "./steps.tsx";

// The layout of graphs is for who looks at one.
const Chart = lazy(async () => ({ default: (await import("./chart.tsx")).Chart }));

const Drawn = (props: { readonly saga: Saga; readonly step: string | undefined }) => (
  <Suspense fallback={<p className="soft pulse">Loading…</p>}>
    <Chart {...props} />
  </Suspense>
);

const views = [
  [undefined, "Timeline"],
  ["machine", "Statechart"],
  ["history", "History"],
] as const;

/** One saga: where it is, how it came there, and what can be done. */
export const SagaScreen = () => {
  const { sagaId } = useParams({ from: "/sagas/$sagaId" });
  const { view, step } = useSearch({ from: "/sagas/$sagaId" });
  const { saga, history } = useSaga(sagaId);
  return (
    <Loaded query={saga}>
      {(one) => (
        <>
          <Heading
            title={`${one.kind} ${one.slug}`}
            note={
              <>
                <State of={one.status} />
                <span>
                  <Link to="/tenants/$tenant" params={{ tenant: one.tenantId }}>
                    {one.name}
                  </Link>{" "}
                  · begun <Time at={one.createdAt} />
                </span>
              </>
            }
          >
            <SagaActs saga={one} />
          </Heading>
          <Cause saga={one} />
          <Waiting saga={one} />
          <Steps steps={one.steps} />
          <nav className="tabs" aria-label="Views of the saga">
            {views.map(([value, title]) => (
              <Link key={title} to="/sagas/$sagaId" params={{ sagaId }} search={{ view: value }} {...tabLink}>
                {title}
              </Link>
            ))}
          </nav>
          <Loaded query={history}>
            {(entries) => {
              if (view === "machine") return <Drawn saga={one} step={step} />;
              if (view === "history") return <History entries={entries} />;
              const segments = segmentsOf(entries);
              return segments.length === 0 ? (
                <Empty title="No step was begun.">The history says what happened instead.</Empty>
              ) : (
                <Gantt
                  segments={segments}
                  regions={one.steps.map(({ step }) => step)}
                  isOver={one.finishedAt !== null}
                />
              );
            }}
          </Loaded>
          <Facts saga={one} />
        </>
      )}
    </Loaded>
  );
};

const Cause = ({ saga: { error, status } }: { readonly saga: Saga }) =>
  error === null ? null : (
    <section className={`notice ${status === "stuck" ? "bad" : "warn"}`} aria-label="Cause">
      <p>
        <strong>
          {error.step === null ? "" : `${error.step}: `}
          {error.code}
        </strong>
      </p>
      <p>{error.message}</p>
    </section>
  );

const Waiting = ({ saga: { waitingFor } }: { readonly saga: Saga }) =>
  waitingFor.length === 0 ? null : (
    <ul className="small soft" aria-label="It waits for">
      {waitingFor.map(({ what, until }) => (
        <li key={`${what} ${until}`}>
          waits for {what}, until <Ago at={until} />
        </li>
      ))}
    </ul>
  );

const Facts = ({ saga }: { readonly saga: Saga }) => (
  <dl className="facts small">
    <dt>Saga</dt>
    <dd className="mono">{saga.sagaId}</dd>
    <dt>Tenant</dt>
    <dd className="mono">{saga.tenantId}</dd>
    <dt>Request</dt>
    <dd className="mono">
      {saga.source} {saga.requestId}
    </dd>
    <dt>Machine</dt>
    <dd>
      version {saga.machineVersion}, course {saga.course}
    </dd>
  </dl>
);
