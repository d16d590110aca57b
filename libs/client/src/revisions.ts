/**
 * Which revisions of tenants a reader has seen. Every lifecycle and state record names the tenant's revision, which
 * only grows; after a hand-over between orchestrators older ones may come again, and a reader drops them.
 */
export interface Revisions {
  /** True where nothing as new was seen of this tenant. */
  isNews(tenantId: string, revision: number): boolean;
  /** Call it when the record was handled: one that was not comes again. */
  saw(tenantId: string, revision: number): void;
}

export const createRevisions = (): Revisions => {
  const newest = new Map<string, number>();
  const of = (tenantId: string): number => newest.get(tenantId) ?? -1;
  return {
    isNews: (tenantId, revision) => revision > of(tenantId),
    saw: (tenantId, revision) => {
      newest.set(tenantId, Math.max(revision, of(tenantId)));
    },
  };
};
