import type { StepContext } from "../step.ts";

/** At which call of a step a process is to stop itself: before it, or when its request has left. */
export interface StopAt {
  readonly stopAt: string;
  readonly where: "before" | "inside";
}

/**
 * The context with calls that stop this process, as SIGSTOP does, at that one.
 *
 * @param whenGoingOn what is to be so when it goes on: a deadline that has passed, say
 */
export const stoppingAt = <C extends StepContext>(
  context: C,
  { stopAt, where }: StopAt,
  whenGoingOn: () => void = () => undefined,
): C => {
  const stop = (): void => {
    process.kill(process.pid, "SIGSTOP");
    whenGoingOn();
  };
  const call: StepContext["call"] = (name, effect, options) => {
    if (name !== stopAt) return context.call(name, effect, options);
    if (where === "before") stop();
    const stopping: typeof effect = (signal) => {
      const running = effect(signal);
      if (where === "inside") stop();
      return running;
    };
    return context.call(name, stopping, options);
  };
  return { ...context, call };
};

/** Writes to the standard output how a provision ended, and ends this process. */
export const sayHowItEnded = async (provision: () => Promise<unknown>): Promise<never> => {
  try {
    await provision();
    console.log("provisioned");
  } catch (error) {
    console.log(`${(error as Error).name}: ${(error as Error).message}`);
  }
  process.exit(0);
};
