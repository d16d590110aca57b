/** What is to be done when the tests end; a test file's `after` runs it. */
export interface CleanUps {
  /** Done last first: what was made of something else goes before it. */
  add(work: () => Promise<void>): void;
  /** Done before all that was added: the end of whatever could still make something, a process say. */
  addFirst(work: () => Promise<void>): void;
  /** Tries each, whatever became of the others. */
  run(): Promise<void>;
}

export const cleanUps = (): CleanUps => {
  const first: (() => Promise<void>)[] = [];
  const works: (() => Promise<void>)[] = [];
  return {
    add: (work) => void works.push(work),
    addFirst: (work) => void first.push(work),
    run: async () => {
      const failures: unknown[] = [];
      for (const work of [...first.splice(0).reverse(), ...works.splice(0).reverse()])
        await work().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} clean-ups failed`);
    },
  };
};
