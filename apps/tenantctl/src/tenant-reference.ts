import { slugOf } from "@deeplens/contracts";
import { Refused } from "./refused.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isId = (text: string): boolean => uuid.test(text);

/** What the API knows a tenant by: the id as it is, or the slug of a name. @throws Refused for a name without one */
export const tenantReference = (name: string): string => {
  if (isId(name)) return name.toLowerCase();
  const slug = slugOf(name);
  if (slug.ok) return slug.slug;
  throw new Refused(slug.rejection.code, slug.rejection.message, "list the tenants with `tenantctl list`");
};
