/** 512 B, 1.5 MiB, 20 GiB. */
export const byteText = (count: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let rest = count;
  let unit = 0;
  for (; rest >= 1024 && unit < units.length - 1; unit++) rest /= 1024;
  return `${unit === 0 || rest >= 100 || Number.isInteger(rest) ? Math.round(rest) : rest.toFixed(1)} ${units[unit]}`;
};
