// Without a terminal the engine sends both output streams in one: frames of 8 bytes of header (which stream, three
// zeros, length big-endian) and the payload.
const headerBytes = 8;

export interface Output {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Takes the engine's frames apart. A frame that was cut off ends the output. */
export const takeApart = (frames: Buffer): Output => {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  for (let at = 0; at + headerBytes <= frames.length; ) {
    const end = at + headerBytes + frames.readUInt32BE(at + 4);
    (frames[at] === 2 ? stderr : stdout).push(frames.subarray(at + headerBytes, end));
    at = end;
  }
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
};

/** Everything that a stream brings until it ends. */
export const collect = async (stream: NodeJS.ReadableStream, signal: AbortSignal): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  const onAbort = (): void => {
    (stream as NodeJS.ReadableStream & { destroy?(error?: Error): void }).destroy?.(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return Buffer.concat(chunks);
};
