/** What an engine holds of an installation: everything with its label, and nothing else. */
import { lines } from "./command.ts";

export type Belongings = {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
};

/** Names of all that bears the label `deeplens.installation=<name>`. */
export async function belongingsOf(installation: string): Promise<Belongings> {
  const filter = ["--filter", `label=deeplens.installation=${installation}`];
  return {
    containers: await lines("docker", ["ps", "--all", "--format", "{{.Names}}", ...filter]),
    volumes: await lines("docker", ["volume", "ls", "--quiet", ...filter]),
    networks: await lines("docker", ["network", "ls", "--format", "{{.Name}}", ...filter]),
  };
}
