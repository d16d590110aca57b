import type { Answer } from "../api/call.ts";

export type Plan = Answer<"POST /v1/plans/create">;

const gib = 1024 ** 3;

const measures: Readonly<Record<Plan["use"][number]["measure"], (value: number) => string>> = {
  bytes: (value) => `${(value / gib).toFixed(2)} GiB`,
  "memory-bytes": (value) => `${(value / gib).toFixed(2)} GiB of memory`,
  connections: (value) => `${value} connections`,
};

/** What an act would do, as the orchestrator itself says before anything is done; what would be refused comes first. */
export const PlanView = ({ plan }: { readonly plan: Plan }) => (
  <div className="stack-tight">
    {plan.already && <p className="notice">It is so already: nothing would be begun.</p>}
    {plan.refusals.map(({ code, message }) => (
      <p key={code} className="notice bad">
        <strong>Would be refused</strong>: {message}
      </p>
    ))}
    {plan.warnings.map(({ code, message }) => (
      <p key={code} className="notice warn">
        {message}
      </p>
    ))}
    <ol className="numbered">
      {plan.does.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ol>
    <Things title="Makes" things={plan.makes} />
    <Things title="Removes for good" things={plan.goes} />
    {plan.use.length > 0 && (
      <ul className="small soft">
        {plan.use.map(({ thing, measure, value, limit }) => (
          <li key={`${thing} ${measure}`}>
            {thing}: {measures[measure](value)}
            {limit !== null && ` of ${measures[measure](limit)}`}
          </li>
        ))}
      </ul>
    )}
    {plan.refusals.length === 0 && (
      <p className="small soft">
        {plan.wayBack === null ? "There is no way back from this." : `The way back: ${plan.wayBack}`}
      </p>
    )}
  </div>
);

const Things = ({ title, things }: { readonly title: string; readonly things: Plan["makes"] }) =>
  things.length === 0 ? null : (
    <div>
      <h3>{title}</h3>
      <ul className="small">
        {things.map(({ part, kind, name }) => (
          <li key={`${kind} ${name}`}>
            <span className="soft">
              {part}: {kind}
            </span>{" "}
            <code>{name}</code>
          </li>
        ))}
      </ul>
    </div>
  );
