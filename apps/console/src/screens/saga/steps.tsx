import { spanOf } from "../../parts/span.ts";
import { State } from "../../parts/state.tsx";
import { Ago } from "../../parts/time.tsx";
import type { Saga } from "./follow.ts";

/** The steps as they are now: tries, errors in full, what was made and what an undo removed. */
export const Steps = ({ steps }: Pick<Saga, "steps">) => (
  <ol className="steps">
    {steps.map((step) => (
      <li key={step.step} className={step.phase === "failed" ? "step bad" : "step"}>
        <div className="row spread">
          <h2>{step.step}</h2>
          <State of={step.phase} />
        </div>
        <p className="small soft">
          {step.attempts > 0 && `try ${step.attempts} of ${step.attemptsAtMost} · `}
          {step.state}
          {step.durationMs !== null && ` · ${spanOf(step.durationMs)}`}
          {step.nextTryAt !== null && (
            <>
              {" "}
              · next try <Ago at={step.nextTryAt} />
            </>
          )}
        </p>
        {step.progress !== null && step.phase === "working" && <p className="small">{step.progress}</p>}
        {step.error !== null && (
          <p className="small">
            <strong className="tone-bad">{step.error.code}</strong> {step.error.message}
          </p>
        )}
        {step.resources.length > 0 && (
          <details>
            <summary className="small">what was made: {step.resources.length}</summary>
            <ul className="small">
              {step.resources.map(({ kind, name }) => (
                <li key={`${kind} ${name}`}>
                  <span className="soft">{kind}</span> <code>{name}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
        {step.receipt.length > 0 && (
          <details>
            <summary className="small">receipt: {step.receipt.length} looked at</summary>
            <ul className="small">
              {step.receipt.map(({ kind, name, outcome }) => (
                <li key={`${kind} ${name}`}>
                  {outcome} <span className="soft">{kind}</span> <code>{name}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </li>
    ))}
  </ol>
);
