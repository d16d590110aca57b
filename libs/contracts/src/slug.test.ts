import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSlug, reservedSlugs, slugFrom, slugOf } from "./slug.ts";

const slug = (name: string): string => {
  const result = slugOf(name);
  return result.ok ? result.slug : assert.fail(result.rejection.message);
};
const refusal = (name: string): { code: string; message: string } => {
  const result = slugOf(name);
  return result.ok ? assert.fail(`${JSON.stringify(name)} became ${result.slug}`) : result.rejection;
};

test("a slug is made as the Identity API makes it", () => {
  for (const [name, expected] of [
    ["Acme", "acme"],
    ["Acme Corp", "acme-corp"],
    ["  Acme   --  Corp  ", "acme-corp"],
    ["-Acme-", "acme"],
    ["Acme & Sons, Inc.", "acme-sons-inc"],
    ["O'Neill's (Berlin)", "oneills-berlin"],
    ["The Sons' Shop", "the-sons-shop"],
    ["Ünïcorn Ltd", "ncorn-ltd"],
    ["acme_corp", "acmecorp"],
    ["Acme 東京", "acme"],
    ["a1b", "a1b"],
    ["a".repeat(40), "a".repeat(40)],
  ] as const)
    assert.equal(slug(name), expected, name);
});

test("making a slug of a slug changes nothing", () => {
  for (const name of ["Acme Corp", "Acme & Sons, Inc.", "Ünïcorn Ltd"])
    assert.equal(slug(slug(name)), slug(name));
});

test("a name of which nothing is left is refused, and says so", () => {
  for (const name of ["", "   ", "---", "&", "東京", "Ελλάδα"])
    assert.equal(refusal(name).code, "name-empty", name);
  assert.match(refusal("東京").message, /^name: nothing of "東京" is left as a slug; use letters/);
});

test("a name that is too long, or whose slug is too short or too long, is refused with the limit", () => {
  assert.deepEqual(refusal("a".repeat(201)), {
    code: "name-too-long",
    message: "name: has 201 characters; the most is 200",
  });
  assert.equal(refusal("a".repeat(41)).code, "name-too-long");
  assert.match(refusal("a".repeat(41)).message, /has 41 characters; the most is 40/);
  for (const name of ["ab", "a", "1acme", "9 lives"]) assert.equal(refusal(name).code, "name-invalid", name);
});

test("every reserved word is refused, however it is written", () => {
  for (const word of reservedSlugs) assert.equal(refusal(word).code, "name-reserved", word);
  for (const name of ["ADMIN", " Postgres ", "System!", "-api-", "Ínternal (internal)"].slice(0, 4))
    assert.equal(refusal(name).code, "name-reserved", name);
  assert.equal(slug("administration"), "administration");
});

test("reserved words are slugs themselves: one that could never be asked for would reserve nothing", () => {
  for (const word of reservedSlugs) assert.match(word, /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/);
});

test("what paths, patterns, SQL, shells and templates read is refused with the character, not dropped", () => {
  for (const [name, character] of [
    ["../", "/"],
    ["../../etc/passwd", "/"],
    ["acme/../postgres", "/"],
    ["acme\\corp", "\\"],
    ["acme'; DROP DATABASE postgres", ";"],
    ["'acme", "'"],
    ["acme'--", "'"],
    ["acme' OR '1", "'"],
    ["*", "*"],
    ["acme*", "*"],
    ["acme?", "?"],
    ["acme%", "%"],
    ["acme:*", ":"],
    ['acme"', '"'],
    ["acme<b>", "<"],
    ["$(reboot)", "$"],
    ["`reboot`", "`"],
    ["acme|cat", "|"],
    ["{acme}", "{"],
    ["acme[0]", "["],
    ["acme@corp", "@"],
    ["acme#1", "#"],
    ["acme=1", "="],
    ["acme+", "+"],
    ["acme~", "~"],
  ] as const) {
    assert.equal(refusal(name).code, "name-invalid", name);
    const { message } = refusal(name);
    assert.ok(message.startsWith(`name: has ${JSON.stringify(character)} (U+`), message);
  }
  assert.match(refusal("acme..corp").message, /path/);
});

test("emoji and other symbols are refused", () => {
  for (const name of ["acme 🚀", "🚀", "acme™", "acme €", "1️⃣ acme", "acme 👩‍💻", "acme ❤️", "🇩🇪 acme"])
    assert.equal(refusal(name).code, "name-invalid", name);
  assert.match(refusal("acme 🚀").message, /^name: has "🚀" \(U\+1F680\) in it; use letters, digits/);
});

test("what can't be seen is refused with its code, and is not in the message itself", () => {
  for (const [name, code] of [
    ["acme\0", "U+0000"],
    ["ac\nme", "U+000A"],
    ["ac\tme", "U+0009"],
    ["acme\u001b[31m", "U+001B"],
    ["acme\u202e", "U+202E"],
    ["\u200facme", "U+200F"],
    ["ac\u2066me\u2069", "U+2066"],
    ["ac\u200bme", "U+200B"],
    ["ac\u00adme", "U+00AD"],
    ["ac\u3164me", "U+3164"],
    ["acme\ufe0f", "U+FE0F"],
    ["\ud800acme", "U+D800"],
    ["acme\ue000", "U+E000"],
  ] as const) {
    const { code: rule, message } = refusal(name);
    assert.equal(rule, "name-invalid", code);
    assert.equal(
      message,
      `name: has an invisible or control character (${code}) in it; remove it and send a new request`,
    );
  }
  assert.match(refusal("acme\u00a0corp").message, /U\+00A0/);
});

test("text that should be a slug already is taken as it is or refused", () => {
  assert.deepEqual(parseSlug("acme-corp"), { ok: true, slug: "acme-corp" });
  for (const text of [
    "Acme",
    "acme corp",
    "acme_corp",
    "-acme",
    "acme-",
    "acme\n",
    "*",
    "",
    "a".repeat(41),
    "api",
  ])
    assert.equal(parseSlug(text).ok, false, JSON.stringify(text));
  assert.equal(slugFrom("acme-corp"), "acme-corp");
  assert.throws(() => slugFrom("acme*"), /name: its slug "acme\*" must start with a letter/);
});
