import { sqlStateOf } from "@deeplens/postgres";

const undefinedTable = "42P01";
const undefinedColumn = "42703";

/**
 * What is read of (or written to) the workers' tables, or `otherwise` where no worker has run on this database yet.
 *
 * @param newer what is asked for came with a later version: none that has it need have run
 */
export const ofWorkers = async <T>(
  work: Promise<T>,
  otherwise: T,
  { newer = false }: { readonly newer?: boolean } = {},
): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === undefinedTable || (newer && state === undefinedColumn)) return otherwise;
    throw error;
  }
};
