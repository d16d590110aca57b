// What the running stack lets in, and whom. Read through the engine, so that no client of ours stands between.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { capture, lines } from "./command.ts";
import { stateFolder } from "./state-folder.ts";

const stackFile = process.env.DEEPLENS_STACK_FILE ?? stateFolder("deeplens-test").stackFile;
const { installation, kafka } = JSON.parse(readFileSync(stackFile, "utf8")) as {
  installation: string;
  kafka: { brokers: [string] };
};
const inside = (service: string, ...command: string[]) =>
  capture("docker", ["exec", `${installation}-${service}`, ...command]);
const stackContainers = () =>
  lines("docker", [
    ...["ps", "--format", "{{.Names}}", "--filter", `label=com.docker.compose.project=${installation}`],
    ...["--filter", `label=deeplens.installation=${installation}`],
  ]);

test("PUBLIC may connect to no database of the stack's own", async () => {
  const query =
    "SELECT datname FROM pg_database WHERE has_database_privilege('public', oid, 'CONNECT') " +
    "AND datname IN ('postgres', 'template1', 'template0', 'deeplens_control', 'deeplens_identity')";
  const open = await inside(
    "postgres",
    "psql",
    "--username=postgres",
    "--no-align",
    "--tuples-only",
    "-c",
    query,
  );
  assert.equal(open.trim(), "");
});

test("Postgres keeps what it acknowledged, and asks everybody on the network for a password", async () => {
  const show = (query: string) => inside("postgres", "psql", "--username=postgres", "-At", "-c", query);
  assert.equal((await show("SHOW fsync")).trim(), "on");
  assert.equal((await show("SHOW synchronous_commit")).trim(), "on");
  const trusted =
    "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> 'scram-sha-256'";
  assert.equal((await show(trusted)).trim(), "0");
});

test("Redis does nothing for who gives no password", async () => {
  assert.match(await inside("redis", "redis-cli", "set", "a", "b"), /NOAUTH/);
});

test("Kafka closes on who does not log in", async () => {
  const [host = "", port = ""] = kafka.brokers[0].split(":");
  const socket = connect(Number(port), host);
  await once(socket, "connect");
  // A Metadata request, version 0, for all topics: length, api key, version, correlation id, no client id, no topics.
  socket.write(Buffer.from("0000000e00030000000000010000" + "00000000", "hex"));
  const answered: Buffer[] = [];
  socket.on("data", (chunk) => answered.push(chunk));
  await once(socket, "close");
  assert.equal(Buffer.concat(answered).length, 0);
});

test("MinIO lists nothing for the anonymous", async () => {
  const status = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
  assert.equal(await inside("minio", "curl", ...status, "http://127.0.0.1:9000/"), "403");
});

test("every port of the stack is published on loopback only", async () => {
  const format = "{{range $port, $on := .NetworkSettings.Ports}}{{range $on}}{{.HostIp}} {{end}}{{end}}";
  const published = await capture("docker", ["inspect", "--format", format, ...(await stackContainers())]);
  const addresses = published.split(/\s+/).filter((word) => word !== "");
  assert.ok(addresses.length >= 6);
  assert.deepEqual([...new Set(addresses)], ["127.0.0.1"]);
});

test("the fleet runs as nobody's root", async () => {
  const format = '{{index .Config.Labels "com.docker.compose.service"}} {{.Config.User}}';
  const users = await lines("docker", ["inspect", "--format", format, ...(await stackContainers())]);
  for (const line of users.filter((user) => /-worker|orchestrator|identity-api/.test(user))) {
    assert.match(line, / [1-9]\d*:\d+$/);
  }
});

test("no secret of the stack is in what the engine shows of its containers, nor in a command line", async () => {
  const folder = dirname(stackFile);
  const secrets = readdirSync(join(folder, "secrets")).map((name) => join(folder, "secrets", name));
  const containers = await stackContainers();
  const shown = await capture("docker", ["inspect", ...containers]);
  const commands = await Promise.all(
    containers.map((name) => capture("docker", ["top", name, "-eo", "pid,args"])),
  );
  for (const file of [...secrets, join(folder, "master.key")]) {
    const secret = readFileSync(file, "utf8").trim();
    assert.ok(!shown.includes(secret), `${file} is in docker inspect`);
    assert.ok(!commands.join().includes(secret), `${file} is in a command line`);
  }
});
