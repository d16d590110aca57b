import { readFileSync } from "node:fs";

/** What the fleet's image sets for its processes beside their configuration: the ENV lines of the Dockerfile. */
export const imageSettings = (): Readonly<Record<string, string>> => {
  const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
  const lines = [...dockerfile.matchAll(/^ENV (.+)$/gm)].map(([, settings = ""]) => settings);
  const settings = lines.flatMap((line) => [...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)]);
  return Object.fromEntries(settings.map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")]));
};

/** Flags of Node that docker-compose.yml gives a process of the fleet beside the image's. */
export const nodeFlagsOf = (app: string): readonly string[] => {
  const compose = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");
  const [, flags] = compose.match(new RegExp(`command: \\[node, (.*)apps/${app}/src/main\\.js\\]`)) ?? [];
  if (flags === undefined) throw new Error(`docker-compose.yml has no command for ${app}`);
  return flags.split(", ").filter(Boolean);
};
