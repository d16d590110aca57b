import { type TierName, tierOf } from "@deeplens/contracts";
import { type OperationCommand, PermanentStepError } from "./step.ts";

/**
 * What the operation `tier` is told: the tier to give (`tier`), and whether only to say what would not fit into it
 * (`preview: true`). Its way back is the same operation with the tier before.
 *
 * @throws PermanentStepError `tier-unknown`
 */
export const wantedTier = ({
  tenant,
  parameters,
}: OperationCommand): { readonly tier: TierName; readonly preview: boolean } => {
  const tier = tierOf(parameters.tier ?? "");
  if (tier !== undefined) return { tier, preview: parameters.preview === "true" };
  throw new PermanentStepError(
    "tier-unknown",
    `tenant ${tenant.slug} can't be given the tier ${JSON.stringify(parameters.tier ?? "")}: free, professional or enterprise`,
  );
};
