/** What a request is refused for: with 400 and ASP.NET Core Identity's own words (its default PasswordOptions). */
import type { ProvisionRequest } from "./store.ts";

/** Why the request is refused, or nothing. That an e-mail address is in use is for the store to see. */
export const refusalOf = (request: ProvisionRequest, slug: string): string | undefined => {
  if (slug === "") return `Tenant name '${request.tenantName}' has nothing that a slug can be made of.`;
  if (!isEmail(request.adminEmail)) return `Email '${request.adminEmail}' is invalid.`;
  const broken = passwordRules.filter(({ met }) => !met(request.adminPassword)).map(({ text }) => text);
  return broken.length === 0 ? undefined : broken.join(" ");
};

// As ASP.NET's EmailAddressAttribute: one @, and something on both sides.
const isEmail = (text: string): boolean => /^[^@\s]+@[^@\s]+$/.test(text);

const passwordRules = [
  { met: (p: string) => p.length >= 6, text: "Passwords must be at least 6 characters." },
  {
    met: (p: string) => /[^a-zA-Z0-9]/.test(p),
    text: "Passwords must have at least one non alphanumeric character.",
  },
  { met: (p: string) => /[0-9]/.test(p), text: "Passwords must have at least one digit ('0'-'9')." },
  { met: (p: string) => /[a-z]/.test(p), text: "Passwords must have at least one lowercase ('a'-'z')." },
  { met: (p: string) => /[A-Z]/.test(p), text: "Passwords must have at least one uppercase ('A'-'Z')." },
];
