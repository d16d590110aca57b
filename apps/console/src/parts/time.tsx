import { useNow } from "./clock.ts";
import { fromNow } from "./span.ts";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const utc = (at: string): string => `${at.replace("T", " ").replace(/(\.\d+)?Z$/, "")} UTC`;

/** A moment in the reader's zone; UTC on hover. */
export const Time = ({ at, as = "moment" }: { readonly at: string; readonly as?: "moment" | "clock" }) => (
  <time dateTime={at} title={utc(at)}>
    {(as === "clock" ? clock : full).format(new Date(at))}
  </time>
);

/** How long ago a moment was, or how far ahead it is; the moment itself on hover. */
export const Ago = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={`${full.format(new Date(at))} · ${utc(at)}`}>
    {fromNow(Date.parse(at), useNow())}
  </time>
);
