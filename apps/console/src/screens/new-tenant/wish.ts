import { type ByosProvider, specOf, type TenantSpec } from "@deeplens/contracts/rules";

/** What the form holds, as it was typed. */
export interface Wish {
  readonly name: string;
  readonly tier: string;
  readonly storage: "deeplens" | "byos" | "none";
  readonly provider: ByosProvider;
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly prefix: string;
  readonly pathStyle: boolean;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

export const emptyWish: Wish = {
  name: "",
  tier: "free",
  storage: "deeplens",
  provider: "aws_s3",
  bucket: "",
  endpoint: "",
  region: "",
  prefix: "",
  pathStyle: false,
  email: "",
  firstName: "",
  lastName: "",
};

// Stands for credentials that are not dropped off yet, so that all else can be held to the rules before they are.
export const notYet = "drop:00000000-0000-0000-0000-000000000000";

const given = (text: string): string | null => (text.trim() === "" ? null : text.trim());

/** The request's body. */
export const requestOf = (wish: Wish, credentialRef: string) => {
  const isByos = wish.storage === "byos";
  return {
    name: wish.name,
    tier: wish.tier,
    storage: {
      type: wish.storage,
      ...(isByos
        ? {
            provider: wish.provider,
            bucket: given(wish.bucket),
            endpoint: given(wish.endpoint),
            region: wish.provider === "aws_s3" ? given(wish.region) : null,
            prefix: given(wish.prefix),
            pathStyle: wish.provider === "aws_s3" ? wish.pathStyle : null,
            credentialRef,
          }
        : {}),
    },
    administrator: { email: wish.email.trim(), firstName: wish.firstName, lastName: wish.lastName },
  };
};

export type Checked =
  | { readonly ok: true; readonly spec: TenantSpec }
  | { readonly ok: false; readonly field: string; readonly message: string };

/** Holds the wish to the rules that the orchestrator holds it to: they are the same functions. */
export const check = (wish: Wish): Checked => {
  const { storage, ...request } = requestOf(wish, notYet);
  const nothing = {
    provider: null,
    bucket: null,
    endpoint: null,
    region: null,
    prefix: null,
    pathStyle: null,
  };
  const result = specOf({
    requestId: "plan",
    requestedAt: "",
    ...request,
    storage: { credentialRef: null, ...nothing, ...storage },
  });
  if (result.ok) return result;
  const [, field = "", message = result.rejection.message] =
    /^([a-zA-Z.]+): (.*)$/s.exec(result.rejection.message) ?? [];
  return { ok: false, field, message };
};
