import type { Unsettled } from "./ledger-store.ts";
import type { Order } from "./order.ts";

// What an operator is told of a process that stands in the way of another one's command: it was stopped, or hangs, or
// was cut off, and only its end says for sure that nothing more comes of it.

/** An earlier process's work on the part may still have an effect; a retry helps once that process has ended. */
export class EffectMayLand extends Error {
  readonly code = "effect-may-land";
  constructor(message: string) {
    super(message);
    this.name = "EffectMayLand";
  }
}

/** @throws EffectMayLand where there is one, naming each */
export const throwWhereEffectsMayLand = (order: Order, processes: readonly Unsettled[]): void => {
  if (processes.length === 0) return;
  throw new EffectMayLand(
    `what an earlier worker was making of ${order.part} of tenant ${order.slug} may still come: ${processes.map(stateOf).join("; ")}. Then: tenantctl resume ${order.slug}`,
  );
};

/** That another process has the order's part and does not end. */
export const partHeld = ({ part, slug }: Order, holder: string | undefined): string =>
  `${holder === undefined ? "another process" : nameOf(holder)} holds the ${part} part of tenant ${slug} and has not ended its work there: end that process, then: tenantctl resume ${slug}`;

const stateOf = ({ process, state, until }: Unsettled): string =>
  state === "alive"
    ? `${nameOf(process)} has it in hand and has not ended: end that process`
    : `${nameOf(process)} lost the control database and has not said that it ended: see that it has; it counts as ended ${until === undefined ? "some time after a worker was started" : `from ${until.toISOString()} on`}`;

// A process's own name is `<host>/<pid>/<uuid>`; in a container the host is the container's id.
const nameOf = (process: string): string => {
  const [host, pid] = process.split("/");
  return `process ${pid} on host ${host}`;
};
