/** The path of the first text that Postgres can't keep as JSON (a zero byte, half of a surrogate pair), or undefined. */
export const unstorableField = (value: unknown, path = ""): string | undefined => {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed() ? path : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, one] of Object.entries(value)) {
    const found = unstorableField(one, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
};
