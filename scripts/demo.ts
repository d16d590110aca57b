/** What `npm start` shows once the stack runs: the tenant `acme`, and where to go from here. */
import type { Stack } from "./stack/up.ts";

/** in: the stack that is up, the fleet included. Ends when everything is shown. */
export async function demo(stack: Stack): Promise<void> {
  const flag =
    stack.state.installation === "deeplens" ? "" : ` -- --installation ${stack.state.installation}`;
  console.log(
    [
      "next:",
      "  npx tenantctl create <name>   another tenant, with live progress",
      "  npx tenantctl list            the tenants there are",
      `  npm stop${flag}                      ends everything and keeps the data`,
      "",
    ].join("\n"),
  );
}
