import type { Check } from "../check.ts";
import { restart } from "../patient.ts";

/** The Identity API says that it is well. */
export const identity: Check = {
  name: "identity",
  needs: [],
  unanswered: (patient) => restart(patient, "identity-api"),
  examine: async ({ stack }, signal) => {
    const { url } = stack.identity;
    const response = await fetch(`${url}/api/tenant/health`, { signal });
    const text = (await response.text()).slice(0, 200);
    if (!response.ok) throw new Error(`the Identity API at ${url} answers ${response.status}: ${text}`);
    return { seen: `answers at ${url}`, findings: [] };
  },
};
