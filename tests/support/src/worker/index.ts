export * from "./worker-process.ts";
export * from "./worker-rig.ts";
