import type { PlanLine } from "./wish.ts";

/** What would be made, by step. */
export const Plan = ({ lines }: { readonly lines: readonly PlanLine[] | undefined }) => (
  <section className="panel" aria-labelledby="plan" aria-live="polite">
    <h2 id="plan">The plan</h2>
    {lines === undefined ? (
      <p className="soft">Give it a name: everything that it gets is named after it.</p>
    ) : (
      <ol className="stack">
        {lines.map(({ step, does, names }) => (
          <li key={step} className="stack-tight">
            <strong>{step}</strong>
            <span className="soft small">{does}</span>
            <ul className="small">
              {names.map((name) => (
                <li key={name}>
                  <code>{name}</code>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    )}
  </section>
);
