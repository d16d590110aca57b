/** One event of a `text/event-stream`. */
export interface StreamEvent {
  /** Undefined where the event bore none. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/**
 * The events in the text of a stream, wherever it was cut into chunks. An event that was not ended by an empty line
 * before the stream broke off is dropped, as the standard says.
 */
export async function* parseEvents(chunks: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = "";
  let lines: string[] = [];
  for await (const chunk of chunks) {
    rest += chunk;
    // A CR at the end of a chunk may be half of a CRLF: it waits for the next chunk.
    const parts = rest.split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line !== "") lines.push(line);
      else if (lines.length > 0) {
        const event = eventOf(lines);
        lines = [];
        if (event !== undefined) yield event;
      }
    }
  }
}

const eventOf = (lines: readonly string[]): StreamEvent | undefined => {
  let id: string | undefined;
  let event = "message";
  const data: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { id, event, data: data.join("\n") };
};
