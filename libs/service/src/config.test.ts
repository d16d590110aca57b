import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { ConfigurationError, parseConfig } from "./config.ts";
import { kafkaSettings, port, positive, processSettings } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "config-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const shape = { HOST: z.string().min(1), PORT: port.default(5432), TOKEN: z.string().min(8), SIZE: positive };
const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    parseConfig(shape, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.problems;
  }
  return [];
};

test("what is there is parsed, and defaults fill what is not", () => {
  assert.deepEqual(parseConfig(shape, { HOST: "db", TOKEN: "12345678", SIZE: "3", OTHER: "ignored" }), {
    HOST: "db",
    PORT: 5432,
    TOKEN: "12345678",
    SIZE: 3,
  });
});

test("everything that is missing or wrong is named at once", () => {
  const problems = problemsOf({ PORT: "70000", TOKEN: "short", SIZE: "-1" });
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    ["HOST", "PORT", "TOKEN", "SIZE"],
  );
  assert.equal(problems[0], "HOST: is missing (set it, or HOST_FILE)");
});

test("a rule between variables is told with what else is wrong", () => {
  const rule = ({ PORT, SIZE }: { PORT: number; SIZE: number }) =>
    PORT > SIZE ? [] : [`PORT: must be more than SIZE (${SIZE})`];
  const environment = { HOST: "db", TOKEN: "12345678", SIZE: "9999" };
  assert.throws(() => parseConfig(shape, environment, rule), /PORT: must be more than SIZE \(9999\)/);
  assert.equal(parseConfig(shape, { ...environment, PORT: "10000" }, rule).PORT, 10_000);
});

test("the value of a secret that breaks its rule is not in the message", () => {
  assert.ok(!problemsOf({ HOST: "db", SIZE: "1", TOKEN: "hush" }).join().includes("hush"));
});

test("a variable may come as a file; its last newline is no part of the value", () => {
  const TOKEN_FILE = file("token", "from a file\n");
  const environment = { HOST: "db", SIZE: "1", TOKEN_FILE };
  assert.equal(parseConfig(shape, environment).TOKEN, "from a file");
  assert.equal(
    parseConfig(shape, { ...environment, TOKEN: "from the environment" }).TOKEN,
    "from the environment",
  );
  assert.equal(
    parseConfig(shape, { ...environment, TOKEN_FILE: file("crlf", "two\nlines\r\n") }).TOKEN,
    "two\nlines",
  );
});

test("an empty variable is a missing one", () => {
  assert.deepEqual(problemsOf({ HOST: "", SIZE: "1", TOKEN: "12345678" }), [
    "HOST: is missing (set it, or HOST_FILE)",
  ]);
});

test("a file that can't be read is named once, with the reason, beside the other problems", () => {
  const problems = problemsOf({ SIZE: "1", TOKEN_FILE: join(folder, "none") });
  assert.equal(problems.length, 2);
  assert.match(problems.join("\n"), /TOKEN_FILE: ENOENT/);
  assert.match(problems.join("\n"), /HOST: is missing/);
});

test("an installation's name leaves room for what it is the prefix of", () => {
  const shape = { DEEPLENS_INSTALLATION: processSettings.DEEPLENS_INSTALLATION };
  for (const name of ["deeplens", "deeplens-test", "a1"])
    assert.equal(parseConfig(shape, { DEEPLENS_INSTALLATION: name }).DEEPLENS_INSTALLATION, name);
  for (const name of ["Deeplens", "1a", "a_b", "a.b", "a-", "a".repeat(16), "a/b", "*"])
    assert.throws(() => parseConfig(shape, { DEEPLENS_INSTALLATION: name }), ConfigurationError, name);
});

test("brokers are a list with commas", () => {
  const environment = {
    KAFKA_BROKERS: "a:9092, b:9092",
    KAFKA_USERNAME: "u",
    KAFKA_PASSWORD: "p",
    SCHEMA_REGISTRY_URL: "http://registry:8081",
  };
  assert.deepEqual(parseConfig(kafkaSettings, environment).KAFKA_BROKERS, ["a:9092", "b:9092"]);
});

test("a process with a wrong environment names all of it on standard error and exits 78", () => {
  const program = `
    import { kafkaSettings, readConfig } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    readConfig(kafkaSettings);
    console.log("went on");`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    env: { SCHEMA_REGISTRY_URL: "no url" },
    encoding: "utf8",
  });
  assert.equal(status, 78);
  assert.equal(stdout, "");
  for (const name of ["KAFKA_BROKERS", "KAFKA_USERNAME", "KAFKA_PASSWORD", "SCHEMA_REGISTRY_URL"])
    assert.ok(stderr.includes(`  ${name}: `), name);
  assert.match(stderr, /docs\/configuration\.md/);
});
