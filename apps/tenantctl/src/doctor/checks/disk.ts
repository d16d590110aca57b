import { statfs } from "node:fs/promises";
import { type Check, type Finding, problem, warning } from "../check.ts";

/** The disks that hold the installation's state, and the engine's data where that is on this machine, have room. */
export const disk: Check = {
  name: "disk",
  needs: [],
  unanswered: () => "df -h",
  examine: async ({ folder, engine }, signal) => {
    const about = await engine.about({ signal }).catch(() => undefined); // its own check says that it is away
    const room = await roomIn(folder);
    const engineRoom = about === undefined ? undefined : await roomIn(about.folder).catch(() => undefined);
    const disks = engineRoom === undefined || engineRoom.id === room.id ? [room] : [room, engineRoom];
    return {
      seen: disks.map((one) => `${gib(one.freeBytes)} GiB free of ${gib(one.sizeBytes)}`).join("; "),
      findings: disks.flatMap(roomFindings),
    };
  },
};

interface Room {
  readonly path: string;
  readonly id: string;
  readonly freeBytes: number;
  readonly sizeBytes: number;
  readonly freeFiles: number;
}

const roomIn = async (path: string): Promise<Room> => {
  const { bavail, blocks, bsize, ffree, files } = await statfs(path);
  return {
    path,
    id: `${blocks}/${files}`,
    freeBytes: bavail * bsize,
    sizeBytes: blocks * bsize,
    // Some file systems count none.
    freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree,
  };
};

const gibBytes = 1024 ** 3;
const gib = (bytes: number): string => (bytes / gibBytes).toFixed(1);

/** Says when a disk is full, or nearly. */
export const roomFindings = ({ path, freeBytes, sizeBytes, freeFiles }: Room): readonly Finding[] => {
  const mend = "docker system df; docker image prune    (removes images that nothing uses); or add disk";
  const what = `the disk of ${path} has ${gib(freeBytes)} of ${gib(sizeBytes)} GiB left`;
  if (freeFiles < 1_000)
    return [problem(`the disk of ${path} has ${freeFiles} inodes left`, `df -i ${path}`)];
  if (freeBytes < gibBytes || freeBytes < 0.03 * sizeBytes) return [problem(what, mend)];
  return freeBytes < 5 * gibBytes || freeBytes < 0.1 * sizeBytes ? [warning(what, mend)] : [];
};
