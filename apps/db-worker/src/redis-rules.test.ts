import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { slugFrom } from "@deeplens/contracts";
import { type KnownCommands, redisRule } from "./redis-rules.ts";

const slug = slugFrom("acme-corp");
const redis7: KnownCommands = new Map([
  ["string", ["get", "set"]],
  ["hash", ["hset"]],
  ["keyspace", ["del", "scan", "keys", "copy", "move", "randomkey", "dbsize"]],
  ["connection", ["ping", "auth", "client|id", "client|tracking", "client|kill", "select"]],
  ["pubsub", ["publish", "subscribe", "pubsub|channels"]],
  ["scripting", ["eval", "evalsha", "fcall", "script|flush"]],
  ["dangerous", ["info", "keys", "acl|list"]],
  ["admin", ["acl|list", "client|kill"]],
]);
const redis8: KnownCommands = new Map([
  ...redis7,
  ["search", ["ft.search", "ft.create"]],
  ["json", ["json.set"]],
  ["connection", [...(redis7.get("connection") ?? []), "client|setinfo"]],
]);

describe("the rule of a tenant's Redis user", () => {
  const rule = redisRule(slug, "secret", redis7);

  it("starts from nothing and names the tenant's keys and channels only", () => {
    assert.equal(rule[0], "reset");
    assert.ok(rule.indexOf("-@all") < rule.indexOf("+@string"));
    assert.deepEqual(
      rule.filter((word) => /^[~&%]/.test(word)),
      ["~tenant:acme-corp:*", "&tenant:acme-corp:*"],
    );
    assert.ok(!rule.includes("allkeys") && !rule.includes("allchannels") && !rule.includes("nopass"));
  });

  it("holds the password's hash and not the password", () => {
    assert.ok(rule.includes(`#${createHash("sha256").update("secret").digest("hex")}`));
    assert.ok(!rule.some((word) => word.includes("secret")));
  });

  it("names no command that tells of other tenants or reaches other databases", () => {
    for (const word of ["scan", "keys", "randomkey", "dbsize", "copy", "move", "select", "client|tracking"])
      assert.ok(!rule.includes(`+${word}`), word);
    for (const category of ["all", "keyspace", "read", "write", "connection", "pubsub", "scripting"])
      assert.ok(!rule.includes(`+@${category}`), category);
    assert.ok(!rule.includes("+pubsub|channels") && !rule.includes("+fcall"));
  });

  it("bans the dangerous after all that it allows, but for what clients need", () => {
    const bans = rule.indexOf("-@dangerous");
    assert.ok(bans > rule.lastIndexOf("+del") && bans > rule.lastIndexOf("+@hash"));
    assert.deepEqual(rule.slice(bans + 1), ["+info", "+eval", "+evalsha"]);
  });

  it("names nothing that the server does not know: one unknown word would fail the whole call", () => {
    assert.ok(!rule.includes("+client|setinfo") && !rule.includes("+@geo"));
    assert.ok(redisRule(slug, "secret", redis8).includes("+client|setinfo"));
  });

  it("leaves out what a newer Redis adds: a search index knows no key patterns", () => {
    assert.ok(!redisRule(slug, "secret", redis8).some((word) => /search|json|ft\./.test(word)));
  });
});
