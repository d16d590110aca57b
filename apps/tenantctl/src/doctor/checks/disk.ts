import { stat, statfs } from "node:fs/promises";
import { type Check, type Finding, problem, warning } from "../check.ts";

/** The disks that hold the installation's state, and the engine's data where that is on this machine, have room. */
export const disk: Check = {
  name: "disk",
  needs: [],
  unanswered: () => "df -h",
  examine: async ({ folder, engine }, signal) => {
    const about = await engine.about({ signal }).catch(() => undefined); // its own check says that it is away
    const room = await roomIn(folder);
    const engineRoom = about === undefined ? undefined : await roomSeenIn(about.folder);
    const disks = engineRoom === undefined || engineRoom.device === room.device ? [room] : [room, engineRoom];
    const seen = disks.map((one) => `${gib(one.freeBytes)} GiB free of ${gib(one.sizeBytes)}`);
    return {
      seen: [...seen, ...(engineRoom === undefined ? ["the engine's can't be seen from here"] : [])].join(
        "; ",
      ),
      findings: disks.flatMap(roomFindings),
    };
  },
};

interface Room {
  readonly path: string;
  readonly device: number;
  readonly freeBytes: number;
  readonly sizeBytes: number;
  readonly freeFiles: number;
}

const roomIn = async (path: string): Promise<Room> => {
  const [{ dev }, { bavail, blocks, bsize, ffree, files }] = await Promise.all([stat(path), statfs(path)]);
  return {
    path,
    device: dev,
    freeBytes: bavail * bsize,
    sizeBytes: blocks * bsize,
    // Some file systems count none.
    freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree,
  };
};

/** The same of the engine's folder; undefined where that is another machine's, or closed to whoever asks. */
const roomSeenIn = async (path: string): Promise<Room | undefined> => {
  try {
    return await roomIn(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES") return undefined;
    throw error;
  }
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
