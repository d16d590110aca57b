/**
 * One reading for all who ask within `forMs`: fifty pages that are open cost the database no more than one. A reading that
 * failed is not kept.
 */
export const sharedReading = <Key, Value>(
  read: (key: Key) => Promise<Value>,
  forMs: number,
  now: () => number = () => performance.now(),
): ((key: Key) => Promise<Value>) => {
  const kept = new Map<string, { readonly untilMs: number; readonly value: Promise<Value> }>();
  return (key) => {
    const name = JSON.stringify(key);
    const known = kept.get(name);
    if (known !== undefined && now() < known.untilMs) return known.value;
    for (const [one, { untilMs }] of kept) if (untilMs <= now()) kept.delete(one);
    const value = read(key);
    kept.set(name, { untilMs: now() + forMs, value });
    value.catch(() => kept.get(name)?.value === value && kept.delete(name));
    return value;
  };
};
