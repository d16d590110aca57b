import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Trouble } from "./trouble.tsx";

/** Shows what a query brought: the last that is known while it is asked again, an error only where nothing is known. */
export const Loaded = <T,>({
  query,
  children,
}: {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}) => {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Trouble error={query.error} />;
  return (
    <p className="soft pulse" role="status">
      Loading…
    </p>
  );
};
