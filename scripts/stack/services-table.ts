/** The table that `npm start` ends with. */
import { type Ports, type ServiceName, services } from "./ports.ts";

const addresses: readonly (readonly [ServiceName, (port: number) => string])[] = [
  ["kafka", (port) => `127.0.0.1:${port} (SASL/SCRAM-SHA-512, user deeplens)`],
  ["schemaRegistry", (port) => `http://127.0.0.1:${port}`],
  ["postgres", (port) => `127.0.0.1:${port} (databases by tenant; deeplens_control)`],
  ["redis", (port) => `127.0.0.1:${port}`],
  ["minio", (port) => `http://127.0.0.1:${port} (user deeplens-root)`],
  ["identity", (port) => `http://127.0.0.1:${port}`],
  ["api", (port) => `http://127.0.0.1:${port}`],
];

/** Lines of text; secrets are named by their folder only. */
export function servicesTable(ports: Ports, secretsFolder: string): string {
  const rows = addresses.map(
    ([name, address]) => `  ${services[name].title.padEnd(16)} ${address(ports[name])}`,
  );
  return [
    "",
    "  service          where it listens",
    "  ---------------- ----------------",
    ...rows,
    `  ${"Console".padEnd(16)} http://127.0.0.1:${ports.api}/console/`,
    "",
    `  passwords: ${secretsFolder} (mode 0600)`,
    "",
  ].join("\n");
}
