import { parseEvents, type StreamEvent } from "@deeplens/client/event-stream";
import { answered, apiAddress } from "./call.ts";
import { unheard } from "./connection.ts";
import { isSignedOut } from "./problem.ts";
import { sessionHeaders } from "./session.ts";

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/**
 * Follows a stream of events until `signal`: after a break it goes on behind the last event that it had. A stream that the
 * server ends after an event `end` is over.
 */
export const followEvents = async (
  path: string,
  take: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<void> => {
  let lastId: string | undefined;
  let isOver = false;
  for (
    let pauseMs = firstPauseMs;
    !signal.aborted && !isOver;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  ) {
    try {
      const response = await fetch(apiAddress(path), {
        headers: { ...sessionHeaders(), ...(lastId === undefined ? {} : { "last-event-id": lastId }) },
        signal,
      });
      await answered(response);
      if (response.body === null) return;
      for await (const event of parseEvents(response.body.pipeThrough(new TextDecoderStream()))) {
        pauseMs = firstPauseMs;
        lastId = event.id ?? lastId;
        isOver = event.event === "end";
        take(event);
      }
    } catch (error) {
      if (signal.aborted || isSignedOut(error)) return;
      if (error instanceof TypeError) unheard();
    }
    if (!isOver) await pause(pauseMs, signal);
  }
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
