export * from "./manifests.ts";
export * from "./tenant-to-back-up.ts";
