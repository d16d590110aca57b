import type { ByosCredentials, ByosLocation } from "@deeplens/contracts";
import type { Right } from "../cloud.ts";

/** Somebody who has a place in a cloud and gives us credentials for it. */
export interface Customer {
  readonly location: ByosLocation;
  readonly credentials: ByosCredentials;
  /** What the credentials allow from now on. */
  allow(rights: readonly Right[]): Promise<void>;
  /** As the owner, whatever the credentials may. */
  put(key: string, text: string): Promise<void>;
  keys(): Promise<readonly string[]>;
}

export const allRights: readonly Right[] = ["list", "write", "read", "delete"];

/** A cloud that tests run against. */
export interface TestCloud {
  readonly name: string;
  /** Who lacks a right is told so in these words. */
  readonly words: Readonly<Record<Right, RegExp>>;
  /** A customer with a bucket of its own, whose credentials reach this prefix of it. */
  customer(prefix?: string): Promise<Customer>;
  /** The same credentials as the cloud does not know them. */
  unknownTo(credentials: ByosCredentials): ByosCredentials;
  close(): Promise<void>;
}
