/**
 * Does several things at once; where one fails the others are ended by their signal and waited for.
 *
 * @throws what the first one failed with
 */
export const allOrNone = async <T extends readonly unknown[]>(
  signal: AbortSignal,
  ...works: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> }
): Promise<T> => {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const running = works.map((work) =>
    work(either).catch((error: unknown) => {
      failed.abort(error); // the first call is the one that counts
      throw error;
    }),
  );
  await Promise.allSettled(running);
  failed.signal.throwIfAborted();
  return (await Promise.all(running)) as unknown as T;
};
