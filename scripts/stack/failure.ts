/** Runs a command's body; what fails is told in words and ends with exit code 1, a wrong call with 2. */
import { UsageError } from "./options.ts";

export async function orTell(work: () => Promise<number>): Promise<never> {
  try {
    process.exit(await work());
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}
