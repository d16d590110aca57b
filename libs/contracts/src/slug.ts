/** A parsed slug: nothing else may enter the name of a resource or a pattern. */
export type Slug = string & { readonly __brand: "Slug" };

export type SlugRejection =
  | { code: "name-empty"; message: string }
  | { code: "name-too-long"; message: string }
  | { code: "name-invalid"; message: string }
  | { code: "name-reserved"; message: string };

export type SlugResult = { ok: true; slug: Slug } | { ok: false; rejection: SlugRejection };

/** Words that name something of the platform's own, or that would be mistaken for it. */
export const reservedSlugs: ReadonlySet<string> = new Set([
  "admin",
  "administrator",
  "api",
  "app",
  "auth",
  "backup",
  "backups",
  "console",
  "control",
  "dashboard",
  "database",
  "deeplens",
  "default",
  "grafana",
  "health",
  "help",
  "identity",
  "internal",
  "kafka",
  "localhost",
  "login",
  "mail",
  "metrics",
  "minio",
  "monitoring",
  "null",
  "operator",
  "postgres",
  "public",
  "qdrant",
  "redis",
  "root",
  "shared",
  "static",
  "status",
  "storage",
  "support",
  "system",
  "template",
  "template0",
  "template1",
  "tenant",
  "tenants",
  "test",
  "undefined",
  "vector",
  "vectors",
  "webhook",
  "www",
]);

const pattern = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;
const maximumNameLength = 200;
// Zero bytes, control characters, direction marks and fillers never belong to a name that people read.
const invisible = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;
// Letters of any script with their marks, digits, and what names of companies have: dropped from the slug or kept. All
// else (emoji, symbols, what paths, patterns, SQL and shells read) was surely meant otherwise, so it is refused and not
// dropped: `acme*` is not acme.
const unusual = /[^\p{L}\p{Mn}\p{Mc}\p{N} .,&'’()_!–—-]/u;
const strayQuote = /(?<![\p{L}\p{N}\p{M}])['’]|['’](?![\p{L}\p{N} ]|$)/u;

/**
 * The slug of a tenant's name, made as the Identity API makes it: lower case; everything but `a-z0-9`, space and `-`
 * dropped; runs of space or `-` become one `-`; trimmed. Then it must match `^[a-z][a-z0-9-]{1,38}[a-z0-9]$` and be
 * no reserved word. Names with invisible characters, symbols, emoji or the punctuation of paths, patterns, SQL and
 * shells are refused whatever slug they would give.
 *
 * @returns the slug, or which rule the name breaks and what to do about it
 */
export const slugOf = (name: string): SlugResult => {
  if (name.trim() === "")
    return reject("name-empty", "name: is empty; give the tenant a name of 3 to 40 letters or digits");
  if (name.length > maximumNameLength)
    return reject("name-too-long", `name: has ${name.length} characters; the most is ${maximumNameLength}`);
  const hidden = invisible.exec(name)?.[0];
  if (hidden !== undefined)
    return reject(
      "name-invalid",
      `name: has an invisible or control character (${codePoint(hidden)}) in it; remove it and send a new request`,
    );
  const odd = unusual.exec(name)?.[0] ?? strayQuote.exec(name)?.[0];
  if (odd !== undefined)
    return reject(
      "name-invalid",
      `name: has ${JSON.stringify(odd)} (${codePoint(odd)}) in it; use letters, digits, spaces, hyphens and . , & ' ( )`,
    );
  if (name.includes(".."))
    return reject("name-invalid", "name: has a path (..) in it; use letters, digits, spaces and hyphens");
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replace(/[ -]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (slug === "")
    return reject(
      "name-empty",
      `name: nothing of ${quoted(name)} is left as a slug; use letters a-z and digits`,
    );
  return parseSlug(slug);
};

/** Takes text that should be a slug already (a stored one, a command-line argument). Same result type as slugOf. */
export const parseSlug = (text: string): SlugResult => {
  if (text.length > 40)
    return reject(
      "name-too-long",
      `name: its slug ${quoted(text)} has ${text.length} characters; the most is 40`,
    );
  if (!pattern.test(text))
    return reject(
      "name-invalid",
      `name: its slug ${quoted(text)} must start with a letter, end with a letter or digit, hold only a-z, 0-9 and -, and have 3 to 40 characters`,
    );
  if (reservedSlugs.has(text))
    return reject("name-reserved", `name: ${quoted(text)} is a reserved word; choose another name`);
  return { ok: true, slug: text as Slug };
};

/** As parseSlug, for text that was proven before: throws where it is no slug. */
export const slugFrom = (text: string): Slug => {
  const result = parseSlug(text);
  if (result.ok) return result.slug;
  throw new Error(result.rejection.message);
};

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

const reject = (code: SlugRejection["code"], message: string): SlugResult => ({
  ok: false,
  rejection: { code, message },
});
