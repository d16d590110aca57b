import { type Admin, connectKafka } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { type Patient, passwordIn } from "./patient.ts";

/** Runs `work` with the Kafka administrator's connection. Gives up after one more try: somebody waits for the answer. */
export const inCluster = async <T>(
  { stack: { kafka } }: Patient,
  work: (admin: Admin) => Promise<T>,
): Promise<T> => {
  const { brokers, username, passwordFile } = kafka;
  const client = connectKafka(
    { brokers, username, password: passwordIn(passwordFile) },
    { clientId: "tenantctl-doctor", log: createLogger("tenantctl", "silent"), requestMs: 5_000, retries: 1 },
  );
  const admin = client.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};
