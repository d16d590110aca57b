import { statfs } from "node:fs/promises";
import {
  type BackupId,
  backupPath,
  hasBackup,
  type Job,
  type ListDump,
  type Manifest,
  type Problem,
  readBack,
  readContents,
  readManifest,
  type Verification,
} from "@deeplens/backup";
import type { Reading } from "./restore.ts";
import type { Vectors } from "./vectors.ts";

export type Restorable = NonNullable<Extract<Job, { kind: "check" }>["restorable"]>;

/**
 * Reads a backup back, and says all that is wrong with it; with `restorable` also whether it can be restored here: the
 * version of its template, of its vectors' engine, and the space that is needed.
 */
export const checkBackup = async (
  id: BackupId,
  tenantId: string,
  { folder, key, signal }: Omit<Reading, "manifest">,
  services: { readonly listDump: ListDump; readonly vectors: Pick<Vectors, "version"> },
  restorable: Restorable | undefined,
): Promise<Verification> => {
  if (!(await hasBackup(folder, id)))
    return { problems: [{ code: "unknown", message: `there is no backup ${id}` }] };
  const reading = await readManifest(folder, id);
  if (!reading.ok) return { problems: [{ code: "damaged", message: reading.reason }] };
  const { manifest } = reading;
  if (manifest.tenantId !== tenantId)
    return {
      manifest,
      problems: [
        {
          code: "other-tenant",
          message: `${id} is a backup of tenant ${manifest.slug} (${manifest.tenantId})`,
        },
      ],
    };
  const problems = [...(await readBack(backupPath(folder, id), manifest, key, services.listDump, signal))];
  if (restorable !== undefined) {
    problems.push(...templateProblems(manifest, restorable));
    if (restorable.parts !== "database")
      problems.push(...engineProblems(manifest, await services.vectors.version(signal)));
    problems.push(...(await spaceProblems(folder, manifest, restorable)));
  }
  return { manifest, problems };
};

const templateProblems = (manifest: Manifest, { parts, templateVersion }: Restorable): readonly Problem[] =>
  manifest.parts.flatMap((part): readonly Problem[] =>
    part.part !== "database" || parts === "vectors" || part.templateVersion <= templateVersion
      ? []
      : [
          {
            code: "template-newer",
            message: `its database is of template version ${part.templateVersion}, and this installation's is ${templateVersion}: upgrade it first`,
          },
        ],
  );

/** Qdrant recovers a snapshot of its own minor version and of the one before. */
export const engineProblems = (manifest: Manifest, live: string): readonly Problem[] => {
  const [major, minor] = numbersOf(live);
  return manifest.parts.flatMap((part): readonly Problem[] => {
    if (part.part !== "vectors") return [];
    const [itsMajor, itsMinor] = numbersOf(part.serverVersion);
    if (itsMajor === major && (itsMinor === minor || itsMinor + 1 === minor)) return [];
    return [
      {
        code: "engine-differs",
        message: `${part.file} is a snapshot of Qdrant ${part.serverVersion}, and the tenant's is ${live}: it takes those of its own minor version and of the one before`,
      },
    ];
  });
};

const numbersOf = (version: string): [number, number] => {
  const [major = Number.NaN, minor = Number.NaN] = version.split(".").map(Number);
  return [major, minor];
};

/**
 * Space for the safety backup in the volume, and for what is restored beside the live data: counted as if all of it lay
 * on the engine's disk, as on one machine it does.
 */
const spaceProblems = async (
  folder: string,
  manifest: Manifest,
  { parts }: Restorable,
): Promise<readonly Problem[]> => {
  const { backups } = await readContents(folder);
  const newest = backups.at(-1) ?? manifest;
  const safety = newest.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const beside = manifest.parts.reduce((sum, part) => {
    if (part.part === "database" && parts !== "vectors") return sum + part.databaseBytes;
    // The snapshot as it comes in, and the collection that is made of it.
    return part.part === "vectors" && parts !== "database" ? sum + 2 * part.plainBytes : sum;
  }, 0);
  return shortage(await freeBytes(folder), safety + beside);
};

export const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

export const shortage = (free: number, needed: number): readonly Problem[] =>
  free >= needed
    ? []
    : [
        {
          code: "no-space",
          message: `${mib(needed)} MiB are needed (a safety backup, and the restored data beside the live ones), and ${mib(free)} MiB are free on the disk of the engine's volumes`,
        },
      ];

const mib = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);
