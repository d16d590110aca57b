/** Follows which records of the assigned partitions are finished, and so which offsets may be committed. */
export interface Offsets {
  /** A new assignment: what was followed before is forgotten, for another member may have it now. */
  reset(partitions: readonly number[]): void;
  /** A record was taken; call what it gives when the record is finished. */
  taken(partition: number, offset: string): () => void;
  /** For each partition with something new: the next offset after the finished ones without a gap. */
  committable(): PartitionOffset[];
  /** Kafka has taken them: they are not new any more. */
  committed(offsets: readonly PartitionOffset[]): void;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: string;
}

interface Tracker {
  /** Taken and not yet committable, in the order of their offsets. */
  readonly open: { readonly offset: bigint; finished: boolean }[];
  next: bigint | undefined;
  committed: bigint | undefined;
}

export const createOffsets = (): Offsets => {
  let trackers = new Map<number, Tracker>();
  return {
    reset(partitions) {
      trackers = new Map(
        partitions.map((partition) => [partition, { open: [], next: undefined, committed: undefined }]),
      );
    },
    taken(partition, offset) {
      const record = { offset: BigInt(offset), finished: false };
      trackers.get(partition)?.open.push(record);
      return () => {
        record.finished = true;
      };
    },
    committable() {
      return [...trackers].flatMap(([partition, tracker]) => {
        const firstOpen = tracker.open.findIndex(({ finished }) => !finished);
        const done = tracker.open.splice(0, firstOpen === -1 ? tracker.open.length : firstOpen);
        const last = done.at(-1);
        if (last !== undefined) tracker.next = last.offset + 1n;
        return tracker.next === tracker.committed || tracker.next === undefined
          ? []
          : [{ partition, offset: tracker.next.toString() }];
      });
    },
    committed(offsets) {
      for (const { partition, offset } of offsets) {
        const tracker = trackers.get(partition);
        if (tracker !== undefined) tracker.committed = BigInt(offset);
      }
    },
  };
};
