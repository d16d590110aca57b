/** What every error of the HTTP API says: RFC 9457's members, and ours. */
export interface ProblemDetails {
  /** `urn:deeplens:problem:<code>`: identifies the kind of problem. */
  readonly type: string;
  /** The kind of problem in a few words; the same for every occurrence. */
  readonly title: string;
  readonly status: number;
  /** What happened this time, and to which tenant. */
  readonly detail: string;
  /** For programs. */
  readonly code: string;
  /** What to do now. */
  readonly next: string;
  /** The field of the request that broke a rule. */
  readonly field?: string;
  readonly tenantId?: string;
  readonly sagaId?: string;
  /** Where the saga or tenant stands instead. */
  readonly state?: string;
  /** Each broken rule, where there are several. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}
