/**
 * The engine that runs tenants' containers, in the product's words. Docker is behind it now (`dockerEngine`); another
 * engine is another function that gives a ContainerEngine.
 *
 * Every function takes CallOptions as its last argument: a call that is not answered in time fails with
 * `engine-timeout`, an aborted one with the signal's reason; either may still take effect later. Everything else that
 * goes wrong is a ContainerError with a code (errors.ts). Doing a thing twice is doing it once.
 */
export interface ContainerEngine {
  /** Resolves when the engine answers. @throws ContainerError `engine-unreachable` */
  ping(call?: CallOptions): Promise<void>;

  /** The image, or undefined where the engine does not have it. Nothing is ever pulled. */
  image(reference: string, call?: CallOptions): Promise<ImageSight | undefined>;

  /** The volume of that name, or undefined. */
  volume(name: string, call?: CallOptions): Promise<VolumeSight | undefined>;
  /**
   * Makes the volume, or finds the one that an earlier try made.
   * @throws ContainerError `owned-by-other` when one is there whose labels differ from the spec's
   */
  ensureVolume(spec: VolumeSpec, call?: CallOptions): Promise<VolumeSight>;
  /** Removes the volume and what is in it; a missing one succeeds. @throws ContainerError `in-use` */
  removeVolume(name: string, call?: CallOptions): Promise<void>;

  /** The container of that name, running or not, or undefined. */
  container(name: string, call?: CallOptions): Promise<ContainerSight | undefined>;
  /**
   * Makes the container without starting it, or finds the one that an earlier try made (whose ports and limits are as
   * that try asked: compare `ports` where that matters).
   * @throws ContainerError `image-missing`, `network-missing`, `disk-full`; `owned-by-other` when one of that name is
   * there whose labels differ from the spec's
   */
  ensureContainer(spec: ContainerSpec, call?: CallOptions): Promise<ContainerSight>;
  /**
   * Puts files into a container, started or not: before its first start a process in it never sees them missing. All in
   * one call: an engine mounts the container's disk for each.
   */
  putFiles(container: string, files: readonly ContainerFile[], call?: CallOptions): Promise<void>;
  /**
   * Starts it; a running one succeeds. From then on the engine keeps it running, also over its own restarts, until
   * `stop`.
   * @throws ContainerError `port-taken` when another process or container has one of its ports; the container stays
   */
  start(container: string, call?: CallOptions): Promise<void>;
  /** Ends it (SIGTERM, after `graceMs` SIGKILL; 10 s unless told); a stopped or missing one succeeds. */
  stop(container: string, call?: CallOptions & { graceMs?: number }): Promise<void>;
  /**
   * Gives it other limits, running or not, from now on. A running one that has more memory in use than it may have now
   * is made to give it back, or is ended by the kernel and started again: see memoryInUse. Podman 4 limits a running one
   * alone, and until its next start.
   */
  setLimits(container: string, limits: ContainerLimits, call?: CallOptions): Promise<void>;
  /** How much memory a running container has in use that it can't give back, in bytes; 0 for a stopped one. */
  memoryInUse(container: string, call?: CallOptions): Promise<number>;
  /** Kills and removes it, and its anonymous volumes; resolves once it is gone. A missing one succeeds. */
  removeContainer(name: string, call?: CallOptions): Promise<void>;

  /** Runs a command in a running container and gives all that it wrote. A command that fails is no error: see exitCode. */
  exec(container: string, command: readonly string[], call?: CallOptions & ExecOptions): Promise<ExecResult>;
  /** The last lines (50 unless told) that the container wrote, both streams. */
  logs(container: string, call?: CallOptions & { lines?: number }): Promise<string>;

  /** Every container and volume, running or not, that bears all these labels. */
  list(labels: Labels, call?: CallOptions): Promise<Listing>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** How long the call may take, in ms; 30,000 unless told. */
  readonly timeoutMs?: number;
}

export type Labels = Readonly<Record<string, string>>;

export interface ImageSight {
  readonly id: string;
  /** Whom its process runs as: "" (root), "1000", "1000:1000" or a name. */
  readonly user: string;
}

export interface VolumeSpec {
  readonly name: string;
  readonly labels: Labels;
}

export interface VolumeSight {
  readonly name: string;
  readonly labels: Labels;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly labels: Labels;
  readonly network: string;
  /** Anyone who can inspect the container reads these: never a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of the image's own command. As visible as the environment. */
  readonly command?: readonly string[];
  readonly volumes: readonly { readonly name: string; readonly path: string }[];
  readonly ports: readonly PublishedPort[];
  readonly limits: ContainerLimits;
}

/** A port of the container, published on one address and a fixed port of the host. */
export interface PublishedPort {
  readonly container: number;
  readonly address: string;
  readonly host: number;
}

export interface ContainerLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Most processes and threads at once. */
  readonly pids: number;
}

export interface ContainerSight {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Labels;
  /** `restarting`: it ended by itself, and the engine is about to start it again. */
  readonly state: "created" | "running" | "restarting" | "stopped";
  /** False only while it was never started: then nothing ever ran in it. */
  readonly startedOnce: boolean;
  /** What it is to publish, running or not. */
  readonly ports: readonly PublishedPort[];
  /** Of the last end; undefined while it was never started. */
  readonly exitCode: number | undefined;
}

export interface ContainerFile {
  /** Absolute path in the container; missing folders are made. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** 0o400, say. */
  readonly mode: number;
  /** Numeric, as the container counts; root unless told. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface ExecOptions {
  /** Given to the command's standard input, which is then closed. The place for a secret: it is in no list of processes. */
  readonly input?: string | Uint8Array;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Listing {
  readonly containers: readonly { readonly name: string; readonly labels: Labels }[];
  readonly volumes: readonly VolumeSight[];
}
