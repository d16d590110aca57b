const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A span of time in its two largest units, from milliseconds: `3 min 20 s`, `450 ms`. */
export const spanOf = (ms: number): string => {
  const span = Math.max(0, ms);
  if (span < second) return `${Math.round(span)} ms`;
  if (span < 10 * second) return `${(span / second).toFixed(1)} s`;
  if (span < minute) return `${Math.round(span / second)} s`;
  if (span < hour) return two(span, minute, "min", second, "s");
  if (span < day) return two(span, hour, "h", minute, "min");
  return two(span, day, "d", hour, "h");
};

const two = (span: number, large: number, largeWord: string, small: number, smallWord: string): string => {
  const whole = Math.floor(span / large);
  const rest = Math.floor((span % large) / small);
  return rest === 0 ? `${whole} ${largeWord}` : `${whole} ${largeWord} ${rest} ${smallWord}`;
};

/** How far a time is from now, in one unit: `12 s ago`, `in 3 min`, `now`. */
export const fromNow = (atMs: number, nowMs: number): string => {
  const off = atMs - nowMs;
  const span = Math.abs(off);
  if (span < 2 * second) return "now";
  const [unit, word] =
    span < minute ? [second, "s"] : span < hour ? [minute, "min"] : span < day ? [hour, "h"] : [day, "d"];
  const text = `${Math.floor(span / Number(unit))} ${word}`;
  return off < 0 ? `${text} ago` : `in ${text}`;
};
