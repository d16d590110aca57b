import { createHash } from "node:crypto";
import { redisKeyPrefix, type Slug } from "@deeplens/contracts";

// What a tenant may do in the shared Redis. An allow-list: the data categories, and single commands of the mixed ones.
// Whatever this does not name is refused, so a command that a later Redis brings is refused until somebody looked at it
// (the query engine's on Redis 8: a search index knows no key patterns). Left out on purpose:
// - scan, keys, randomkey, dbsize, pubsub: tell of other tenants' keys or channels;
// - client|tracking: in its broadcasting mode it tells the names of keys without asking the ACL;
// - copy, move, select, swapdb: reach databases other than 0, where undo would have to look too;
// - script, function, fcall: scripts are one store for all tenants.

/** Categories whose every command names the keys or channels that it touches. */
const dataCategories = [
  "string",
  "hash",
  "list",
  "set",
  "sortedset",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "transaction",
];

const keyCommands =
  "del unlink exists type touch expire expireat expiretime pexpire pexpireat pexpiretime ttl pttl persist rename renamenx dump object|encoding object|freq object|idletime object|refcount";
const channelCommands =
  "publish subscribe unsubscribe psubscribe punsubscribe spublish ssubscribe sunsubscribe";
const connectionCommands =
  "auth hello ping echo quit reset readonly readwrite asking client|id client|info client|getname client|setname client|setinfo client|reply command command|count command|docs command|info command|getkeys";

// Allowed although their category is not: clients ask `info` before they call themselves ready; a script's undeclared
// foreign key is refused by the ACL all the same.
const afterTheBans = ["info", "eval", "evalsha"];

const words = (text: string): string[] => text.split(" ");

/** What the server knows, as it answers to ACL CAT and ACL CAT <category>. */
export type KnownCommands = ReadonlyMap<string, readonly string[]>;

/**
 * The rule of a tenant's user, as arguments of ACL SETUSER after its name. It starts with `reset`, so that setting it
 * again gives the same user. The password goes as its SHA-256: the text itself is in no command and no log.
 */
export const redisRule = (slug: Slug, password: string, known: KnownCommands): string[] => {
  const commands = new Set([...known.values()].flat());
  const only = (names: readonly string[]): string[] => names.filter((name) => commands.has(name));
  const prefix = redisKeyPrefix(slug);
  return [
    "reset",
    "on",
    redisPassword(password),
    `~${prefix}*`,
    "resetchannels",
    `&${prefix}*`,
    "-@all",
    ...dataCategories.filter((category) => known.has(category)).map((category) => `+@${category}`),
    ...only([...words(keyCommands), ...words(channelCommands), ...words(connectionCommands)]).map(
      (command) => `+${command}`,
    ),
    "-@admin",
    "-@dangerous",
    ...only(afterTheBans).map((command) => `+${command}`),
  ];
};

/** The rule that gives a user this password. */
export const redisPassword = (password: string): string => `#${sha256Hex(password)}`;

/**
 * The rule of the user that reads a tenant's keys for its backups. SCAN, which has no pattern of its own, tells it the
 * names of other tenants' keys: it is the agent's, never the tenant's (docs/backups.md).
 */
export const redisBackupRule = (slug: Slug, password: string): string[] => [
  "reset",
  "on",
  redisPassword(password),
  `%R~${redisKeyPrefix(slug)}*`,
  "resetchannels",
  "-@all",
  ...["+scan", "+dump", "+pexpiretime", "+ping", "+info"],
];

const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");
