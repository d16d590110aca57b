/** `POST /connect/token` (RFC 6749, sections 4.3, 4.4, 5): what a request gets, as a status and a body. */
import { createHash, timingSafeEqual } from "node:crypto";
import { hashPassword, isPassword } from "./passwords.ts";
import type { IdentityStore } from "./store.ts";
import { lifetimeSeconds, type TokenSigner } from "./tokens.ts";

/** Who may ask for tokens: a public client for users' passwords, or one with a secret for itself. */
export type Client = { clientId: string; scopes: readonly string[] } & (
  | { grant: "password" }
  | { grant: "client_credentials"; secret: string }
);
export const scopes = ["deeplens.api", "deeplens.search", "deeplens.admin", "deeplens.identity"];
/** The reference's client for users. */
export const webClient: Client = { clientId: "deeplens-webui-dev", grant: "password", scopes };

export type TokenAnswer = { status: number; body: object };
export type TokenRequest = { form: URLSearchParams; authorization: string | undefined; now: Date };

const refused = (error: string, description?: string, status = 400): TokenAnswer => ({
  status,
  body: description === undefined ? { error } : { error, error_description: description },
});

/** Makes the endpoint. A wrong user name takes as long as a wrong password. */
export const createTokenEndpoint = (
  store: IdentityStore,
  signer: TokenSigner,
  clients: readonly Client[],
  passwordCost: number,
) => {
  const nobodysHash = hashPassword("nobody's", passwordCost);

  return async ({ form, authorization, now }: TokenRequest): Promise<TokenAnswer> => {
    const basic = basicOf(authorization);
    const client = clients.find(({ clientId }) => clientId === (basic?.id ?? form.get("client_id")));
    const secret = basic?.secret ?? form.get("client_secret") ?? "";
    if (client === undefined || (client.grant === "client_credentials" && !same(secret, client.secret)))
      return refused("invalid_client", undefined, basic === undefined ? 400 : 401);
    const grant = form.get("grant_type") ?? "";
    if (grant !== "password" && grant !== "client_credentials") return refused("unsupported_grant_type");
    if (grant !== client.grant) return refused("unauthorized_client");
    const asked = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    if (asked.some((scope) => !client.scopes.includes(scope))) return refused("invalid_scope");
    const granted = asked.length === 0 ? client.scopes : asked;

    const claims = { client_id: client.clientId, scope: granted };
    const issued = (more: Parameters<TokenSigner["issue"]>[0]): TokenAnswer => ({
      status: 200,
      body: {
        access_token: signer.issue({ ...claims, ...more }, now),
        expires_in: lifetimeSeconds,
        token_type: "Bearer",
        scope: granted.join(" "),
      },
    });
    if (grant === "client_credentials") return issued({});

    const user = await store.user(form.get("username") ?? "");
    const matches = await isPassword(form.get("password") ?? "", user?.passwordHash ?? (await nobodysHash));
    if (user === undefined || !matches) return refused("invalid_grant", "Invalid username or password");
    return issued({
      sub: user.id,
      auth_time: Math.floor(now.getTime() / 1000),
      idp: "local",
      amr: ["pwd"],
      role: user.role,
      email: user.email,
      email_verified: true,
      name: `${user.firstName} ${user.lastName}`,
      given_name: user.firstName,
      family_name: user.lastName,
      tenant_id: user.tenantId,
      tenant_slug: user.tenantSlug,
      tenant_name: user.tenantName,
    });
  };
};

const basicOf = (header: string | undefined): { id: string; secret: string } | undefined => {
  if (!header?.startsWith("Basic ")) return undefined;
  const [id = "", secret = ""] = Buffer.from(header.slice(6), "base64").toString().split(":", 2);
  return { id: decodeURIComponent(id), secret: decodeURIComponent(secret) };
};
const same = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
};
