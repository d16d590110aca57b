import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { type Answer, call } from "../../api/call.ts";
import { Loaded } from "../../parts/loaded.tsx";
import { Time } from "../../parts/time.tsx";
import type { Saga } from "./follow.ts";
import { type Drawing, layOut } from "./layout.ts";

type Machine = Answer<"GET /v1/sagas/{sagaId}/machine">;
type Region = Machine["regions"][number];

/** The statechart, drawn from the machine that runs the saga, with the way that this one took. */
export const Chart = ({ saga, step }: { readonly saga: Saga; readonly step: string | undefined }) => {
  const query = useQuery({
    queryKey: ["machine", saga.sagaId, saga.version],
    queryFn: ({ signal }) =>
      call("GET /v1/sagas/{sagaId}/machine", { path: { sagaId: saga.sagaId }, signal }),
    placeholderData: (before) => before,
  });
  return (
    <Loaded query={query}>
      {(machine) => {
        const chosen = machine.regions.find(({ region }) => region === step) ?? worstOf(machine, saga);
        return (
          <div className="stack">
            <nav className="row small" aria-label="Parts of the machine">
              {machine.regions.map(({ region, current, after }) => (
                <Link
                  key={region}
                  className="button"
                  to="/sagas/$sagaId"
                  params={{ sagaId: saga.sagaId }}
                  search={{ view: "machine", step: region }}
                  aria-current={region === chosen?.region ? "true" : undefined}
                  title={after.length === 0 ? undefined : `after ${after.join(", ")}`}
                >
                  {region} <span className="soft">{current}</span>
                </Link>
              ))}
            </nav>
            {chosen !== undefined && <RegionChart region={chosen} />}
            {!machine.complete && (
              <p className="small soft">The way shown is that of the newest part of the history.</p>
            )}
          </div>
        );
      }}
    </Loaded>
  );
};

// Unless told: where it failed, else the saga as a whole.
const worstOf = ({ regions }: Machine, { error, steps }: Saga): Region | undefined => {
  const failed = error?.step ?? steps.find(({ phase }) => phase === "failed")?.step;
  return regions.find(({ region }) => region === (failed ?? "course")) ?? regions[0];
};

const RegionChart = ({ region }: { readonly region: Region }) => {
  const drawing = useMemo(
    () =>
      layOut(
        region.nodes.map(({ state }) => state),
        region.edges.map(({ from, to, event }) => ({ from, to, label: event ?? "" })),
      ),
    [region.nodes, region.edges],
  );
  return (
    <figure className="stack-tight">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too */}
      <section className="chart-frame panel" tabIndex={0} aria-label="Statechart">
        <Picture region={region} drawing={drawing} />
      </section>
      <figcaption className="stack-tight">
        <h2>The way it took</h2>
        <ol className="row small">
          {region.path.map(({ to, at, history, event }) => (
            <li key={history} className="way">
              <strong>{to}</strong>{" "}
              <span className="soft">
                {event} · <Time at={at} as="clock" />
              </span>
            </li>
          ))}
        </ol>
      </figcaption>
    </figure>
  );
};

const Picture = ({ region, drawing }: { readonly region: Region; readonly drawing: Drawing }) => {
  const node = (state: string) => region.nodes.find((one) => one.state === state);
  const taken = (from: string, to: string): boolean =>
    region.edges.some((edge) => edge.from === from && edge.to === to && edge.taken > 0);
  return (
    <svg
      className="chart"
      width={drawing.width}
      height={drawing.height}
      viewBox={`0 0 ${drawing.width} ${drawing.height}`}
      role="img"
      aria-label={`States of ${region.region}: it is ${region.current}; the way is listed below`}
    >
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerUnits="userSpaceOnUse"
          markerWidth="9"
          markerHeight="9"
          orient="auto"
        >
          <path className="tip" d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      {drawing.lines.map(({ from, to, text, points }) => (
        <path
          key={`${from} ${to} ${text}`}
          className={taken(from, to) ? "move taken" : "move"}
          d={points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x} ${y}`).join("")}
          markerEnd="url(#tip)"
        />
      ))}
      {drawing.lines.map(({ from, to, text, label }) =>
        label === undefined ? null : (
          <text
            key={`${from} ${to} ${text}`}
            className="event"
            x={label.x}
            y={label.y + 4}
            textAnchor="middle"
          >
            {text}
          </text>
        ),
      )}
      {drawing.boxes.map(({ id, x, y, width, height }) => {
        const { visited = 0, current = false } = node(id) ?? {};
        return (
          <g
            key={id}
            className={current ? "at current" : visited > 0 || id === region.initial ? "at visited" : "at"}
          >
            <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx="8" />
            <text x={x} y={y + 5} textAnchor="middle">
              {id}
            </text>
          </g>
        );
      })}
    </svg>
  );
};
