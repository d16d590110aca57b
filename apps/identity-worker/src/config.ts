import { type ConfigRule, positive } from "@deeplens/service";
import { workerSettings } from "@deeplens/worker";
import { z } from "zod";

/** The environment of the identity worker: what every worker reads, and the Identity API. */
export const identitySettings = {
  ...workerSettings,
  IDENTITY_API_URL: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
  /**
   * No request to the Identity API takes longer than this: an answer that has not come by then is given up, and a
   * tenant that is not there by then will not be. In ms.
   */
  IDENTITY_LONGEST_REQUEST_MS: positive.default(20_000),
};

type IdentityConfig = z.infer<z.ZodObject<typeof identitySettings>>;

/** A request of the pivot is a call like any other: the fleet waits for the longest one. */
export const identityRule: ConfigRule<IdentityConfig> = ({ IDENTITY_LONGEST_REQUEST_MS, LONGEST_CALL_MS }) =>
  IDENTITY_LONGEST_REQUEST_MS <= LONGEST_CALL_MS
    ? []
    : [
        `IDENTITY_LONGEST_REQUEST_MS: must be at most LONGEST_CALL_MS (${LONGEST_CALL_MS}), which every process of the fleet reads`,
      ];
