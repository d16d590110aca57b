import type { Pool } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { defaultSettings } from "../saga/settings.ts";
import { provisioning, sagaKind } from "../saga-kind.ts";
import { type ApiOptions, createApi } from "./create-api.ts";

const never = (): never => {
  throw new Error("the API is described, not called");
};

/** The text of docs/openapi.json: what /openapi.json answers, from the same schemas that validate. Calls no service. */
export const descriptionFile = async (): Promise<string> => {
  const api = createApi({
    pool: { query: never } as unknown as Pool,
    log: createLogger("description", "silent"),
    installation: "deeplens",
    shards: 6,
    settings: defaultSettings,
    kind: sagaKind("provision", provisioning),
    token: "that-nobody-calls-with",
    credentials: { revealed: never },
    dropOffs: { put: never, forgetExpired: never } as unknown as ApiOptions["dropOffs"],
    fleet: { deadLetters: async () => [], workers: async () => [] },
    keys: { inUse: never, rewrap: never },
  });
  await api.ready();
  const text = `${JSON.stringify(api.swagger(), null, 2)}\n`;
  await api.close();
  return text;
};
