import {
  byteText,
  type RotatedPart,
  rotatedParts,
  type TierName,
  tiers,
  unreachable,
} from "@deeplens/contracts";
import type { TenantView } from "../api/tenant-store.ts";
import type { TenantAct } from "../saga/act-answers.ts";
import type { Thing } from "./resources.ts";
import type { Use } from "./use.ts";

/** Something that speaks against an act, or that is to be known before it: `code` for programs. */
export interface Remark {
  readonly code: string;
  readonly message: string;
}

/** An act that is planned: the others change nothing. */
export type PlannedAct = Exclude<TenantAct["act"], "backup" | "drill" | "backups">;

export const plannedActs = [
  "suspend",
  "resume",
  "remove",
  "restore",
  "purge",
  "grace",
  "release",
  "restore-backup",
  "restore-back",
  "restore-end",
  "tier",
  "migrate",
  "replace-credentials",
  "repair",
  "rotate",
  "end-rotation",
  "overlap",
] as const satisfies readonly PlannedAct[];

/** What the words of a plan are made of. */
export interface About {
  readonly tenant: TenantView;
  readonly told: Pick<TenantAct, "restore" | "tier" | "parts" | "overlapMs">;
  /** remove: when it would purge. */
  readonly purgeAt: string | undefined;
  readonly use: readonly Use[];
  /** The version of the template that its database is of, and the newest; undefined where nobody looked. */
  readonly template?: { readonly has: string; readonly newest: string } | undefined;
}

export interface Words {
  readonly title: string;
  /** What would be done, in its order. */
  readonly does: readonly string[];
  /** What would be gone. */
  readonly goes?: readonly Thing[];
  /** What would break, or be lost. */
  readonly warnings?: readonly Remark[];
  /** Why it would fail though it may begin. */
  readonly refusals?: readonly Remark[];
  /** The command that takes it back. */
  readonly wayBack: string | null;
}

/** Acts whose plan says what the parts use now. */
export const looksAtUse: ReadonlySet<PlannedAct> = new Set<PlannedAct>(["remove", "tier", "migrate"]);

const ways = ({ storageType }: TenantView): string =>
  `database, Redis, Kafka${storageType === "none" ? "" : ", storage"} and vectors`;

/** The plan of an act in words: the same for whoever asks, and for the act itself before it is confirmed. */
export const wordsOf = (act: PlannedAct, about: About): Words => {
  const { tenant, told, purgeAt, use, template } = about;
  const { slug, suspended, removal, rotation, replaced } = tenant;
  const whose = `${slug} (${tenant.tenantId})`;
  const title = `${act} ${whose}`;
  switch (act) {
    case "suspend":
      return {
        title,
        does: [
          `every way in is refused: ${ways(tenant)}; open sessions end`,
          "Identity has no call for it: the lifecycle event tells it",
          "nothing is lost, and backups go on",
        ],
        wayBack: `tenantctl resume ${slug}`,
      };
    case "resume":
      return {
        title:
          suspended === null
            ? title
            : `${title}, suspended since ${suspended.since} because: ${suspended.reason}`,
        does: [`every way in is opened, and proven with the tenant's own credentials: ${ways(tenant)}`],
        wayBack: `tenantctl suspend ${slug}`,
      };
    case "remove":
      return {
        title,
        does: [
          "every way in is closed",
          ...(purgeAt === undefined
            ? []
            : ["a last backup is taken", `all of it is kept until ${purgeAt}, and then purged`]),
          "everything goes, the backups too: from then on nothing can be restored",
          "Identity keeps its record, because that API has no delete; the name stays reserved for a while",
        ],
        goes: goesOf(tenant),
        wayBack: purgeAt === undefined ? null : `tenantctl restore ${slug}`,
      };
    case "restore":
      return {
        title: removal === null ? title : `${title}, kept until ${removal.purgeAt}`,
        does: [
          "the same id, names, data and ports; every way in is opened, also where it was suspended before",
          "its passwords and keys are made anew: who uses it must be given the new ones",
        ],
        wayBack: `tenantctl remove ${slug}`,
      };
    case "purge":
      return {
        title,
        does: [`what is kept until ${removal?.purgeAt} goes now, the backups too: nothing can be restored`],
        goes: goesOf(tenant),
        wayBack: null,
      };
    case "grace":
      return {
        title,
        does: [`its removal purges at another moment than ${removal?.purgeAt}, counted from its beginning`],
        wayBack: `tenantctl remove ${slug} --grace ...`,
      };
    case "release":
      return {
        title,
        does: [
          `the name ${slug} is given on as soon as the second look has found nothing of its last tenant`,
          "what knew its last tenant may take the next one for it",
        ],
        wayBack: null,
      };
    case "restore-backup": {
      const parts = told.restore?.parts ?? "all";
      return {
        title: `${title}: ${named(parts)} from ${told.restore?.backup ?? ""}`,
        does: [
          "it is checked first, a backup of what is there now is taken, and it is restored and compared beside the live data",
          "then it takes the live data's place; what was live is kept for a while",
          ...sessionsEnd(parts),
          ...(replaced === null
            ? []
            : ["what the restore before it has replaced is dropped: there is no switching back to that"]),
        ],
        wayBack: `tenantctl restore-backup ${slug} --back`,
      };
    }
    case "restore-back":
      return {
        title: `switch ${named(replaced?.parts ?? "all")} of ${whose} back to what was live until ${replaced?.at}`,
        does: [
          "a backup of what is there now is taken first; then the database that was put aside takes the live one's place,",
          `and the vectors become what the backup ${replaced?.safetyBackup} holds`,
          ...sessionsEnd(replaced?.parts ?? "all"),
        ],
        wayBack: `tenantctl restore-backup ${slug} --back`,
      };
    case "restore-end":
      return {
        title: `drop what the restore of ${whose} at ${replaced?.at} has replaced`,
        does: ["the database that was put aside is dropped: from then on nothing switches back to it"],
        wayBack: null,
      };
    case "replace-credentials":
      return {
        title,
        does: [
          `the new ones must list, write, read and delete in ${tenant.resources["storage.bucket"] ?? "its bucket"}: one small object is written there, and removed`,
          "where they may not, nothing changes, and the tenant goes on with those that it has",
          "those before are forgotten here; in the tenant's cloud they end when its owner ends them",
        ],
        wayBack: null,
      };
    case "repair":
      return {
        title,
        does: [
          "what is there of its database, Redis user, topic, bucket, vectors and backups stays as it is",
          "what is gone is made again, empty, under the same names and with the same credentials, and all of it is proven",
          "Identity is not asked: its record is its own to bring back",
        ],
        wayBack: null,
      };
    case "migrate":
      return {
        title,
        does: [
          template === undefined
            ? "its database is moved to the newest version of the template"
            : template.has === template.newest
              ? `its database is of template version ${template.has}, the newest: nothing is changed`
              : `its database is moved from template version ${template.has} to ${template.newest}`,
          "each migration is a transaction of its own: one that fails leaves the database as it was before it",
        ],
        wayBack: null,
      };
    case "rotate":
      return {
        title,
        does: [
          ...rotatedBy(tenant, told.parts),
          `old and new ones are good together for ${told.overlapMs === undefined ? "as long as the installation is told (a day, unless configured)" : spanText(told.overlapMs)}; then the old ones end, and sessions that use them`,
          "until then no other act on the tenant begins",
        ],
        wayBack: `tenantctl abort ${slug}, until the old ones end`,
      };
    case "end-rotation":
      return {
        title: `end the old credentials of ${whose}`,
        does: [
          `the old ones${rotation === null ? "" : ` (${rotation.parts.join(", ")}), good until ${rotation.oldUntil},`} end now, and sessions that use them`,
        ],
        wayBack: null,
      };
    case "overlap":
      return {
        title: `move the end of the old credentials of ${whose}`,
        does: [
          `they end ${spanText(told.overlapMs ?? 0)} after the new ones were given${rotation === null ? "" : `, and not at ${rotation.oldUntil}`}`,
        ],
        wayBack: `tenantctl rotate ${slug} --overlap ...`,
      };
    case "tier":
      return tierWords(title, tenant, told.tier ?? "free", use);
    default:
      return unreachable(act);
  }
};

/** What a rotation makes of these parts, where the tenant has them. */
const rotatedBy = (
  { slug, storageType }: TenantView,
  parts: readonly RotatedPart[] = rotatedParts,
): string[] => {
  const made: Readonly<Record<RotatedPart, string>> = {
    database: "a second database login and Kafka user, and a second password of its Redis user",
    storage:
      storageType === "byos"
        ? `nothing: the keys of its own cloud are replaced by \`tenantctl secret replace ${slug}\``
        : "a second access key of its bucket",
    vectors: "a second API key of its vectors, which start anew twice: now, and when the old key ends",
  };
  return rotatedParts
    .filter((part) => parts.includes(part) && (part !== "storage" || storageType !== "none"))
    .map((part) => `${part}: ${made[part]}`);
};

const spanText = (ms: number): string => {
  const hours = ms / 3_600_000;
  return hours < 1 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(hours * 10) / 10} hours`;
};

const named = (parts: "all" | "database" | "vectors"): string =>
  parts === "all" ? "database and vectors" : `the ${parts}`;

const sessionsEnd = (parts: "all" | "database" | "vectors"): string[] =>
  parts === "vectors" ? [] : ["open sessions on the database are ended for a moment"];

// What is a thing of its own; the rest of a tenant's resources are addresses and references.
const things = /\.(container|volume|database|topic|bucket|collection|\w*Role|\w*User|redisPrefix)$/;

const goesOf = ({ resources }: TenantView): Thing[] =>
  Object.entries(resources)
    .filter(([key]) => things.test(key))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, name]) => {
      const [part = "", kind = ""] = key.split(".");
      return { part: part as Thing["part"], kind, name };
    });

const tierWords = (
  title: string,
  { slug, tier: before, storageType }: TenantView,
  tier: TierName,
  use: readonly Use[],
): Words => {
  const [limits, old] = [tiers[tier], tiers[before as TierName]];
  const used = (thing: string, measure: Use["measure"]): number =>
    use.find((one) => one.thing === thing && one.measure === measure)?.value ?? 0;
  const connections = used("postgres", "connections");
  const held = used("bucket", "bytes");
  const memory = used("vectors", "memory-bytes");
  return {
    title: `${title}: ${before} becomes ${tier}`,
    does: [
      `vectors: ${byteText(limits.vectorMemoryBytes)} of memory and ${limits.vectorCpus} processors (now ${byteText(old.vectorMemoryBytes)} and ${old.vectorCpus}), without a new start`,
      `database: ${limits.databaseConnections} connections (now ${old.databaseConnections})`,
      ...(storageType === "deeplens"
        ? [`storage: ${byteText(limits.storageBytes)} (now ${byteText(old.storageBytes)})`]
        : []),
      `then everyone is told: ${limits.users} users and ${limits.apiCallsPerDay} API calls a day (now ${old.users} and ${old.apiCallsPerDay}), which others enforce`,
      "a part that can't be limited has the others given the tier before",
    ],
    refusals:
      memory <= limits.vectorMemoryBytes
        ? []
        : [
            {
              code: "over-memory",
              message: `the vectors have ${byteText(memory)} of memory in use, and ${tier} allows ${byteText(limits.vectorMemoryBytes)}: they would be ended over and over; remove points, or choose a larger tier`,
            },
          ],
    warnings: [
      ...(connections <= limits.databaseConnections
        ? []
        : [
            {
              code: "over-connections",
              message: `${connections} connections are open, and ${tier} allows ${limits.databaseConnections}: they stay, and none is added until there are fewer`,
            },
          ]),
      ...(held <= limits.storageBytes
        ? []
        : [
            {
              code: "over-quota",
              message: `the bucket holds ${byteText(held)}, and ${tier} allows ${byteText(limits.storageBytes)}: what is there stays, and nothing can be added until there is less`,
            },
          ]),
    ],
    wayBack: `tenantctl tier ${slug} ${before}`,
  };
};
