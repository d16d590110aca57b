import { scaleLinear } from "d3-scale";
import { useNow } from "../../parts/clock.ts";
import { spanOf } from "../../parts/span.ts";
import type { Segment } from "./segments.ts";

const rowHeight = 30;
const labelWidth = 92;
const width = 960;
const axisHeight = 24;

const looks: Readonly<Record<string, string>> = {
  waiting: "queued",
  running: "working",
  backingOff: "pausing",
  undoing: "undoing",
  undoBackingOff: "pausing",
  looking: "looking",
  lookBackingOff: "pausing",
};

const legend = [
  ["queued", "waits for its worker"],
  ["working", "worker at it"],
  ["pausing", "pause before the next try"],
  ["undoing", "being undone"],
  ["looking", "second look"],
] as const;

/** What each step did when: one row a step, so that what ran at once stands below one another. */
export const Gantt = ({
  segments,
  regions,
  isOver,
}: {
  readonly segments: readonly Segment[];
  readonly regions: readonly string[];
  readonly isOver: boolean;
}) => {
  const now = useNow();
  const first = Math.min(...segments.map(({ fromMs }) => fromMs));
  const last = Math.max(
    ...segments.map(({ fromMs, toMs }) => toMs ?? (isOver ? fromMs : now)),
    first + 1_000,
  );
  const x = scaleLinear([0, last - first], [labelWidth, width - 8]);
  const height = regions.length * rowHeight + axisHeight;
  return (
    <figure className="stack-tight">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too */}
      <section className="gantt-frame" tabIndex={0} aria-label="Timeline">
        <svg
          className="gantt"
          viewBox={`0 0 ${width} ${height}`}
          role="img"
          aria-label="Timeline of the steps; the history says the same in words"
        >
          {x.ticks(6).map((tick) => (
            <g key={tick} transform={`translate(${x(tick)} 0)`}>
              <line className="tick" y2={height - axisHeight} />
              <text y={height - 7} textAnchor="middle">
                +{spanOf(tick)}
              </text>
            </g>
          ))}
          {regions.map((region, row) => (
            <g key={region} transform={`translate(0 ${row * rowHeight})`}>
              <line className="row-line" x1={0} x2={width} y1={rowHeight} y2={rowHeight} />
              <text className="label" x={0} y={rowHeight / 2 + 5}>
                {region}
              </text>
              {segments
                .filter((one) => one.region === region)
                .map(({ state, fromMs, toMs }) => {
                  const from = x(fromMs - first);
                  const to = x((toMs ?? (isOver ? fromMs : now)) - first);
                  return (
                    <rect
                      key={`${state}-${fromMs}`}
                      className={`bar ${looks[state] ?? "working"}`}
                      x={from}
                      y={7}
                      width={Math.max(2, to - from)}
                      height={rowHeight - 13}
                      rx={2}
                    >
                      <title>{`${region}: ${state}, ${spanOf((toMs ?? now) - fromMs)}`}</title>
                    </rect>
                  );
                })}
            </g>
          ))}
        </svg>
      </section>
      <figcaption className="row small soft">
        {legend.map(([look, title]) => (
          <span key={look} className="row">
            <svg className="gantt key" viewBox="0 0 14 14" aria-hidden="true">
              <rect className={`bar ${look}`} width="14" height="14" rx="2" />
            </svg>
            {title}
          </span>
        ))}
      </figcaption>
    </figure>
  );
};
