import { Link } from "@tanstack/react-router";
import { Heading } from "../../parts/heading.tsx";
import { Loaded } from "../../parts/loaded.tsx";
import { State } from "../../parts/state.tsx";
import { Ago } from "../../parts/time.tsx";
import { toneOf } from "../../parts/tone.ts";
import { GroupTable } from "../groups/group-table.tsx";
import "./fleet.css";
import { useOverview } from "./overview.ts";
import { findingsOf, type Overview } from "./verdict.ts";

/** The first screen: is anything wrong? */
export const Fleet = () => (
  <Loaded query={useOverview()}>
    {(overview) => (
      <>
        <Verdict overview={overview} />
        <section className="stack-tight" aria-labelledby="groups">
          <h2 id="groups">Failed, by cause</h2>
          {overview.groups.length === 0 ? (
            <p className="soft">No saga waits for somebody.</p>
          ) : (
            <GroupTable groups={overview.groups} />
          )}
        </section>
        <Counts title="Tenants" counts={overview.tenants} to="/tenants" by="state" />
        <Counts title="Sagas" counts={overview.sagas} to="/sagas" by="status" />
        <div className="columns">
          <Workers workers={overview.workers} />
          <DeadLetters letters={overview.deadLetters} />
          <Backups backups={overview.backups} />
        </div>
      </>
    )}
  </Loaded>
);

const Verdict = ({ overview }: { readonly overview: Overview }) => {
  const findings = findingsOf(overview);
  const { running, compensating } = overview.sagas;
  const underWay = (running ?? 0) + (compensating ?? 0);
  const worst = findings[0]?.tone ?? "good";
  return (
    <section className={`verdict tone-${worst}`} aria-live="polite">
      <Heading
        title={findings.length === 0 ? "Nothing is wrong." : `${capital(findings[0]?.text ?? "")}.`}
        note={
          underWay === 0
            ? "No saga is under way."
            : `${underWay} ${underWay === 1 ? "saga is" : "sagas are"} under way.`
        }
      />
      {findings.length > 0 && (
        <ul>
          {findings.map(({ text, tone, to }) => (
            <li key={text}>{to === "/" ? <State of={text} tone={tone} /> : <Link to={to}>{text}</Link>}</li>
          ))}
        </ul>
      )}
    </section>
  );
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const Counts = ({
  title,
  counts,
  to,
  by,
}: {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly to: "/tenants" | "/sagas";
  readonly by: "state" | "status";
}) => (
  <section className="stack-tight" aria-label={title}>
    <h2>{title}</h2>
    <div className="counts">
      {Object.entries(counts).map(([word, count]) => (
        <Link key={word} to={to} search={{ [by]: word }} className={count === 0 ? "nothing" : undefined}>
          <b>{count.toLocaleString()}</b>
          <span className={count === 0 ? undefined : `tone-${toneOf(word)}`}>{word}</span>
        </Link>
      ))}
    </div>
  </section>
);

const Workers = ({ workers }: { readonly workers: Overview["workers"] }) => (
  <section className="panel" aria-labelledby="workers">
    <h2 id="workers">Workers</h2>
    <ul className="stack-tight">
      {workers.map(({ step, alive, lag, versions }) => (
        <li key={step} className="row spread">
          <strong>{step}</strong>
          <span className="row small">
            <span className="soft">
              {lag === null ? "queue unknown" : `${lag} waiting`}
              {versions.length > 0 && ` · ${versions.join(", ")}`}
            </span>
            <State of={alive === 0 ? "none alive" : `${alive} alive`} tone={alive === 0 ? "bad" : "good"} />
          </span>
        </li>
      ))}
    </ul>
  </section>
);

const DeadLetters = ({ letters }: { readonly letters: Overview["deadLetters"] }) => (
  <section className="panel" aria-labelledby="dead-letters">
    <h2 id="dead-letters">Dead letters</h2>
    {letters === null && <p className="soft">Kafka does not say.</p>}
    {letters?.length === 0 && <p className="soft">None: every record could be read and handled.</p>}
    <ul className="stack-tight small">
      {letters?.map(({ topic, count }) => (
        <li key={topic} className="row spread">
          <code>{topic}</code> <strong>{count}</strong>
        </li>
      ))}
    </ul>
  </section>
);

const Backups = ({ backups: { tenants } }: { readonly backups: Overview["backups"] }) => (
  <section className="panel" aria-labelledby="backups">
    <h2 id="backups">Backups older than a day</h2>
    {tenants.length === 0 ? (
      <p className="soft">None: every ready tenant has a newer one.</p>
    ) : (
      <ul className="stack-tight small">
        {tenants.map(({ slug, lastBackupAt }) => (
          <li key={slug} className="row spread">
            <Link to="/tenants/$tenant" params={{ tenant: slug }}>
              {slug}
            </Link>
            {lastBackupAt === null ? <span className="tone-warn">none yet</span> : <Ago at={lastBackupAt} />}
          </li>
        ))}
      </ul>
    )}
  </section>
);
