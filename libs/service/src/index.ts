export * from "./config.ts";
export * from "./health.ts";
export * from "./listening-process.ts";
export * from "./pause.ts";
export * from "./run.ts";
export * from "./settings.ts";
export * from "./wait.ts";
