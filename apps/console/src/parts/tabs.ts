/** A tab's link is the current one where the address has what the tab says, and lacks what it leaves out. */
export const tabLink = {
  activeOptions: { includeSearch: true, explicitUndefined: true },
} as const;
