import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiProblem, ApiUnreachable } from "./api-errors.ts";
import type { SagaEvent } from "./api-types.ts";
import { followSaga } from "./follow-saga.ts";

const history = (id: number): string =>
  `id: ${id}\nevent: history\ndata: ${JSON.stringify({ id, event: `event ${id}` })}\n\n`;
const end = 'event: end\ndata: {"status":"ready"}\n\n';

async function* stream(...parts: (string | Error)[]): AsyncGenerator<string> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}

const collect = async (events: AsyncGenerator<SagaEvent>): Promise<(number | string)[]> => {
  const seen: (number | string)[] = [];
  for await (const event of events) seen.push(event.type === "history" ? event.entry.id : event.type);
  return seen;
};

test("a stream that breaks off is opened again after the last entry that came", async () => {
  const opened: number[] = [];
  const streams = [
    stream(history(3), history(4), new TypeError("terminated")),
    stream(history(9)),
    stream(end),
  ];
  const seen = await collect(
    followSaga(
      async (after) => {
        opened.push(after);
        return streams.shift() ?? assert.fail("opened too often");
      },
      { pauseMs: 1 },
    ),
  );
  assert.deepEqual(seen, [3, 4, 9, "end"]);
  assert.deepEqual(opened, [0, 4, 9]);
});

test("a refusal ends the following at once", async () => {
  const refused = new ApiProblem({
    type: "t",
    title: "t",
    status: 404,
    code: "saga-not-found",
    detail: "there is no saga",
    next: "list them",
  });
  await assert.rejects(
    collect(
      followSaga(async () => {
        throw refused;
      }),
    ),
    refused,
  );
});

test("an API that stays away ends the following when patience is over", async () => {
  const away = new ApiUnreachable("http://127.0.0.1:1", new Error("ECONNREFUSED"));
  await assert.rejects(
    collect(
      followSaga(
        async () => {
          throw away;
        },
        { patienceMs: 0 },
      ),
    ),
    away,
  );
});

test("an event of a kind that is not known yet is passed over", async () => {
  const seen = await collect(followSaga(async () => stream("event: surprise\ndata: {}\n\n", end)));
  assert.deepEqual(seen, ["end"]);
});
