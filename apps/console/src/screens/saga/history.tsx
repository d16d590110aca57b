import { Empty } from "../../parts/empty.tsx";
import { Time } from "../../parts/time.tsx";
import { type HistoryEntry, movesOf } from "./segments.ts";

/** Every event of a saga with what it moved; the whole message behind it. */
export const History = ({ entries }: { readonly entries: readonly HistoryEntry[] }) =>
  entries.length === 0 ? (
    <Empty title="Nothing is recorded.">A history is pruned with its saga, some time after its end.</Empty>
  ) : (
    <ol className="history panel">
      {entries.map((entry) => (
        <li key={entry.id} id={`entry-${entry.id}`}>
          <span className="soft small">
            <Time at={entry.at} as="clock" />
          </span>
          <div className="stack-tight what">
            <p>
              <strong>{entry.event}</strong>
              {entry.step !== null && ` ${entry.step}`}
              {entry.fence !== null && entry.fence > 0 && (
                <span className="soft small"> fence {entry.fence}</span>
              )}
            </p>
            <Moves entry={entry} />
            <details>
              <summary className="small soft">the whole message</summary>
              <pre className="small">{JSON.stringify(entry.body, undefined, 2)}</pre>
            </details>
          </div>
        </li>
      ))}
    </ol>
  );

const Moves = ({ entry }: { readonly entry: HistoryEntry }) => {
  const moves = Object.entries(movesOf(entry));
  const reason = [entry.body.by, entry.body.reason, entry.body.code, entry.body.message]
    .filter((part) => typeof part === "string" && part !== "")
    .join(": ");
  if (moves.length === 0 && reason === "") return null;
  return (
    <div className="small">
      {reason !== "" && <p>{reason}</p>}
      {moves.map(([region, [before, after]]) => (
        <span key={region} className="soft">
          {region} {before === null ? "" : `${before} → `}
          {after}{" "}
        </span>
      ))}
    </div>
  );
};
