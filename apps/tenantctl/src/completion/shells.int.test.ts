import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startFakeApi, tenantOf } from "../testing/fake-api.ts";
import { completionScripts, type Shell } from "./scripts.ts";

// The shells themselves press TAB: on a line with a command, a flag, and a tenant that the API knows.

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), "shells-"));
const state = join(home, "deeplens", "deeplens");
mkdirSync(state, { recursive: true });
writeFileSync(join(state, "token"), "a-token-of-the-tests");
const items = [tenantOf({ slug: "acme" }), tenantOf({ slug: "acme-two" })];
const api = await startFakeApi({ "GET /v1/tenants": { status: 200, body: { items, next: null } } });
writeFileSync(
  join(state, "stack.json"),
  JSON.stringify({ api: { url: api.url, tokenFile: join(state, "token") } }),
);
after(async () => {
  await api.close();
  rmSync(home, { recursive: true, force: true });
});

const bin = fileURLToPath(new URL("../../bin/tenantctl.mjs", import.meta.url));
const program = join(home, "tenantctl");
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
chmodSync(program, 0o755);
for (const [shell, script] of Object.entries(completionScripts)) writeFileSync(join(home, shell), script);

const environment = {
  PATH: `${home}:/usr/local/bin:/usr/bin:/bin`,
  XDG_STATE_HOME: home,
  HOME: home,
  TERM: "dumb",
};
const inShell = async (shell: Shell, script: string): Promise<string> => {
  const flags = shell === "bash" ? ["--norc"] : shell === "zsh" ? ["-f"] : ["--no-config"];
  const { stdout } = await run(shell, [...flags, "-c", script], { env: environment, cwd: home });
  return stdout.trim();
};

const without = (shell: Shell): string | false =>
  spawnSync(shell, ["-c", "true"]).status === 0 ? false : `${shell} is not installed`;

test("bash completes commands, flags, tenants and files", { skip: without("bash") }, async () => {
  const tab = (...words: readonly string[]): Promise<string> => {
    const quoted = ["tenantctl", ...words].map((word) => `'${word}'`).join(" ");
    return inShell(
      "bash",
      `source ${home}/bash; compopt() { echo "compopt $*"; }
       COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _tenantctl; echo "\${COMPREPLY[*]}"; complete -p tenantctl`,
    );
  };
  const asked = "complete -F _tenantctl tenantctl";
  assert.equal(await tab("cred"), `credentials\n${asked}`);
  assert.equal(await tab("list", "--st"), `--state\n${asked}`);
  assert.equal(await tab("status", ""), `acme acme-two\n${asked}`);
  assert.match(await tab("credentials", "acme", "--out", ""), /^compopt -o default/);
});

test("fish completes commands, flags, tenants and files", { skip: without("fish") }, async () => {
  const tab = (line: string): Promise<string> =>
    inShell("fish", `source ${home}/fish; complete --do-complete '${line}'`);
  assert.match(await tab("tenantctl cred"), /^credentials\tshow a ready tenant's passwords/);
  assert.match(await tab("tenantctl list --st"), /^--state\tonly these/);
  assert.equal(await tab("tenantctl status "), "acme\tready\nacme-two\tready");
  assert.match(await tab("tenantctl credentials acme --out tok"), /^$/);
  assert.match(await tab("tenantctl credentials acme --out tenant"), /^tenantctl/);
});

test("zsh completes commands, flags and tenants at its own prompt", { skip: without("zsh") }, async () => {
  // A terminal of its own; the line that TAB made of the one that was typed is asked for by the key ^X.
  const tab = (typed: string): Promise<string> =>
    inShell(
      "zsh",
      `zmodload zsh/zpty
       zpty shell zsh -f -i
       say() { zpty -w shell "$1" }
       say "PROMPT=; autoload -Uz compinit; compinit -u -D; source ${home}/zsh"
       say "report() { print -r -- \\"line <\\$BUFFER>\\" > ${home}/line; exit }; zle -N report; bindkey '^X' report; print READY\\$((1+1))"
       zpty -r -m shell ready '*READY2*'
       zpty -w -n shell ${"$'"}${typed}${"\\t\\x18'"}
       for i in {1..100}; do [[ -s ${home}/line ]] && break; sleep 0.1; done
       cat ${home}/line; rm -f ${home}/line; zpty -d shell`,
    );
  assert.equal(await tab("tenantctl cred"), "line <tenantctl credentials >");
  assert.equal(await tab("tenantctl list --sta"), "line <tenantctl list --state >");
  assert.equal(await tab("tenantctl status acme-"), "line <tenantctl status acme-two >");
});
