import { connect } from "node:net";
import { type Stack, stackFileOf, stackOf } from "@deeplens/testing";

/**
 * The stack file of the installation to measure on, where none was named: npm start's while it runs, else the tests'.
 * Undefined where neither runs.
 */
export const runningStackFile = async (): Promise<string | undefined> => {
  for (const installation of ["deeplens", "deeplens-test"])
    if (await runs(installation)) return stackFileOf(installation);
  return undefined;
};

/** A stopped installation keeps its file: only what listens runs. */
const runs = async (installation: string): Promise<boolean> => {
  let found: Stack;
  try {
    found = stackOf(installation);
  } catch {
    return false; // It was never brought up.
  }
  const [host, port] = (found.kafka.brokers[0] ?? "").split(":");
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? "", port: Number(port), timeout: 1_000 });
    const answer = (listens: boolean) => () => {
      socket.destroy();
      resolve(listens);
    };
    socket.once("connect", answer(true)).once("error", answer(false)).once("timeout", answer(false));
  });
};
