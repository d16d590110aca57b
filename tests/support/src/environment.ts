import type { DatabaseAddress } from "@deeplens/postgres";
import { stack } from "./stack.ts";

/**
 * What every process of the product is told, for an installation of a test's own on the running Kafka and registry, with
 * a control database of its own. Passwords are in it: for a process's environment, never for a command line.
 */
export const processEnvironment = (installation: string, database: DatabaseAddress) => {
  const { kafka, schemaRegistry } = stack();
  return {
    DEEPLENS_INSTALLATION: installation,
    KAFKA_BROKERS: kafka.brokers.join(","),
    KAFKA_USERNAME: kafka.username,
    KAFKA_PASSWORD: kafka.password,
    SCHEMA_REGISTRY_URL: schemaRegistry.url,
    CONTROL_DB_HOST: database.host,
    CONTROL_DB_PORT: String(database.port),
    CONTROL_DB_NAME: database.database,
    CONTROL_DB_USER: database.user,
    CONTROL_DB_PASSWORD: database.password,
  };
};
