import type { HealthCheck } from "@deeplens/service";

const checkMs = 3_000;

/** Runs all checks at once; each outcome is "ok" or the reason, and "no answer" after 3 s. */
export const checkAll = async (
  checks: Readonly<Record<string, HealthCheck>>,
): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
    ),
  );

const outcomeOf = async (check: HealthCheck): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`no answer in ${checkMs} ms`), checkMs);
  try {
    const outcome = Promise.resolve(check()).then(
      () => "ok",
      (error: Error) => error.message,
    );
    return await Promise.race([outcome, promise]);
  } catch (error) {
    return (error as Error).message;
  } finally {
    clearTimeout(timer);
  }
};
