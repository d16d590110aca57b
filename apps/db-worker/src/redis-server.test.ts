import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PermanentStepError } from "@deeplens/worker";
import type { Redis } from "ioredis";
import { saveRedisUsers } from "./redis-server.ts";

const server = (aclfile: string, answer: () => string) => {
  const asked: string[] = [];
  const call = async (...words: string[]) => {
    asked.push(words.join(" "));
    return words[1] === "GET" ? ["aclfile", aclfile] : answer();
  };
  return { asked, admin: { call } as unknown as Redis };
};

describe("saving the users of Redis", () => {
  it("goes to the aclfile where there is one", async () => {
    const { admin, asked } = server("/data/users.acl", () => "OK");
    await saveRedisUsers(admin);
    assert.deepEqual(asked, ["CONFIG GET aclfile", "ACL SAVE"]);
  });

  it("goes to the configuration file where there is none", async () => {
    const { admin, asked } = server("", () => "OK");
    await saveRedisUsers(admin);
    assert.deepEqual(asked, ["CONFIG GET aclfile", "CONFIG REWRITE"]);
  });

  it("fails for good where the server has neither: its users would be gone after a restart", async () => {
    const { admin } = server("", () => {
      throw new Error("ERR The server is running without a config file");
    });
    await assert.rejects(
      saveRedisUsers(admin),
      (error) => error instanceof PermanentStepError && error.code === "redis-users-not-durable",
    );
  });

  it("is tried again where the file could not be written", async () => {
    const { admin } = server("/data/users.acl", () => {
      throw new Error("ERR There was an error trying to save the ACLs.");
    });
    await assert.rejects(saveRedisUsers(admin), (error) => !(error instanceof PermanentStepError));
  });

  it("takes nothing but OK for an answer", async () => {
    const { admin } = server("/data/users.acl", () => "QUEUED");
    await assert.rejects(saveRedisUsers(admin), /QUEUED/);
  });
});
