export * from "./tenant-to-back-up.ts";
