/**
 * What can go wrong with the engine. Time can help all of them but `owned-by-other`: an image is pulled, a port is
 * freed, a disk is cleaned, an engine comes back.
 */
export type ContainerErrorCode =
  | "engine-unreachable"
  | "engine-timeout"
  | "image-missing"
  | "network-missing"
  | "port-taken"
  | "disk-full"
  | "owned-by-other"
  | "in-use"
  | "missing"
  | "engine-error";

export class ContainerError extends Error {
  readonly code: ContainerErrorCode;
  constructor(code: ContainerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "ContainerError";
    this.code = code;
  }
}

/** True for an error of the engine with that code. */
export const hasCode = (error: unknown, code: ContainerErrorCode): error is ContainerError =>
  error instanceof ContainerError && error.code === code;

/** What the engine's client throws: HTTP's status with the engine's own message, or a socket's error. */
interface EngineFailure {
  readonly statusCode?: number;
  readonly json?: unknown;
  readonly code?: string;
  readonly message: string;
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EACCES",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EPIPE",
  "EPERM",
]);

/** The engine's own HTTP status of an error, or undefined. */
export const statusOf = (error: unknown): number | undefined => (error as EngineFailure).statusCode;

/** Turns whatever the engine's client threw into an error that says what happened and what to do. */
export const toContainerError = (what: string, engine: string, error: unknown): ContainerError => {
  if (error instanceof ContainerError) return error;
  const failure = error as EngineFailure;
  if (failure.statusCode === undefined && unreachable.has(failure.code ?? ""))
    return new ContainerError(
      "engine-unreachable",
      `${what}: the container engine at ${engine} does not answer (${failure.code}). Start it, or correct DOCKER_HOST; a refused access means that this process may not use its socket`,
      { cause: error },
    );
  const reason = reasonOf(failure);
  return new ContainerError(codeOf(failure.statusCode, reason), `${what}: ${reason}${advice(reason)}`, {
    cause: error,
  });
};

const codeOf = (status: number | undefined, reason: string): ContainerErrorCode => {
  if (/no space left on device|disk quota exceeded/i.test(reason)) return "disk-full";
  if (/port is already allocated|address already in use|port.*already in use/i.test(reason))
    return "port-taken";
  if (/no such image|image not known|manifest unknown/i.test(reason)) return "image-missing";
  if (/network .*not found|unable to find network/i.test(reason)) return "network-missing";
  if (status === 409 && /in use|being used/i.test(reason)) return "in-use";
  if (status === 404) return "missing";
  return "engine-error";
};

const advice = (reason: string): string => {
  switch (codeOf(undefined, reason)) {
    case "disk-full":
      return ". Free space on the engine's disk";
    case "port-taken":
      return ". Another process or container has that port";
    case "image-missing":
      return ". Pull or build that image on this engine";
    case "network-missing":
      return ". Bring the installation's network up";
    default:
      return "";
  }
};

const reasonOf = (failure: EngineFailure): string => {
  const body = failure.json as { message?: unknown } | null | undefined;
  return typeof body === "object" && typeof body?.message === "string" ? body.message : failure.message;
};
