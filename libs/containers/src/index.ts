export { parseEngineAddress } from "./address.ts";
export * from "./docker-engine.ts";
export * from "./engine.ts";
export { ContainerError, type ContainerErrorCode, hasCode } from "./errors.ts";
export * from "./observer.ts";
export * from "./ownership.ts";
