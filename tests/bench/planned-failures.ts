/** Every tenth of the benchmarks' tenants is rolled back. */
export const failsInBackup = (slug: string): boolean => slug.endsWith("0");
