/** The rules and names of a tenant, without anything of Node's: what a page in a browser can hold a request to. */
export * from "./byos-credentials.ts";
export * from "./names.ts";
export type * from "./problem.ts";
export * from "./requests.ts";
export * from "./slug.ts";
export * from "./storage-model.ts";
export * from "./tiers.ts";
