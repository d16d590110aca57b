import type { Operations } from "../generated/operations.ts";
import { heard, unheard } from "./connection.ts";
import { ApiProblem, ApiUnreachable, problemIn } from "./problem.ts";
import { sessionHeaders } from "./session.ts";

type Name = keyof Operations;

/** What the API answers to a call. */
export type Answer<N extends Name> = Operations[N]["answer"];
type Path<N extends Name> = Operations[N]["path"];
type Body<N extends Name> = Operations[N]["body"];

/** What goes with a call: its path and body are asked for where the operation has them. */
export type Told<N extends Name> = {
  readonly query?: Operations[N]["query"];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
} & (keyof Path<N> extends never ? unknown : { readonly path: Path<N> }) &
  (Body<N> extends undefined ? unknown : { readonly body: Body<N> });

interface AnyTold {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The page lies at `<prefix>/console/`, the API beside it, whatever the prefix is. */
export const apiAddress = (path: string): string => new URL(`..${path}`, document.baseURI).href;

/**
 * Calls the API: `call("GET /v1/tenants/{tenant}", { path: { tenant: "acme" } })`.
 *
 * @throws ApiProblem where it refuses, ApiUnreachable where it does not answer
 */
export const call = async <N extends Name>(name: N, told: Told<N>): Promise<Answer<N>> => {
  const response = await request(name, told as AnyTold);
  if (response.status === 204) return undefined as Answer<N>;
  return (await response.json()) as Answer<N>;
};

const request = async (
  name: string,
  { path = {}, query = {}, body, headers, signal }: AnyTold,
): Promise<Response> => {
  const [method = "GET", template = "/"] = name.split(" ");
  const filled = template.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(path[key])));
  const url = new URL(apiAddress(filled));
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== "") url.searchParams.set(key, String(value));
  const response = await fetch(url, {
    method,
    headers: {
      ...sessionHeaders(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    unheard();
    throw new ApiUnreachable(error.message);
  });
  await answered(response);
  return response;
};

/** Lets a good answer pass. @throws for every other */
export const answered = async (response: Response): Promise<void> => {
  const problem = response.ok ? undefined : await problemIn(response);
  // A proxy answers in its own words when nothing is behind it.
  if (problem === undefined && !response.ok && response.status >= 500) unheard();
  else heard();
  if (response.ok) return;
  if (problem === undefined) throw new ApiUnreachable(`it answered ${response.status} and said no more`);
  throw new ApiProblem(problem);
};
