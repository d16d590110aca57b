import type { ByosCredentials, ByosLocation } from "@deeplens/contracts";
import type { Cloud } from "./cloud.ts";

/**
 * The place that these credentials open, by its vendor's SDK, which is loaded when the first tenant needs it: together
 * they are larger than the rest of the worker. Nothing is asked yet.
 */
export const openCloud = async (location: ByosLocation, credentials: ByosCredentials): Promise<Cloud> => {
  switch (credentials.provider) {
    case "aws_s3":
      return (await import("./s3-cloud.ts")).s3Cloud(location, credentials);
    case "azure_blob":
      return (await import("./azure-cloud.ts")).azureCloud(location, credentials);
    case "gcs":
      return (await import("./gcs-cloud.ts")).gcsCloud(location, credentials);
  }
};
