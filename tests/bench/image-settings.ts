import { readFileSync } from "node:fs";

/** What the fleet's image sets for its processes beside their configuration: the ENV lines of the Dockerfile. */
export const imageSettings = (): Readonly<Record<string, string>> => {
  const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
  const lines = [...dockerfile.matchAll(/^ENV (.+)$/gm)].map(([, settings = ""]) => settings);
  const settings = lines.flatMap((line) => [...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)]);
  return Object.fromEntries(settings.map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")]));
};
