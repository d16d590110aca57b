import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Loaded } from "./loaded.tsx";

interface Page<Row> {
  readonly items: readonly Row[];
}

/** The pages of a list that were loaded, and the way to the next one. */
export const Pages = <Row,>({
  query,
  empty,
  children,
}: {
  readonly query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  readonly empty: ReactNode;
  readonly children: (rows: readonly Row[]) => ReactNode;
}) => (
  <Loaded query={query}>
    {({ pages }) => {
      const rows = pages.flatMap(({ items }) => items);
      if (rows.length === 0) return empty;
      return (
        <div className="stack">
          {children(rows)}
          {query.hasNextPage && (
            <div>
              <button
                type="button"
                className="button"
                disabled={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                {query.isFetchingNextPage ? "Loading…" : "Show more"}
              </button>
            </div>
          )}
        </div>
      );
    }}
  </Loaded>
);
