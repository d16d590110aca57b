import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiUnreachable, isSignedOut } from "./problem.ts";
import { signOut } from "./session.ts";

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended while the page was open: every screen asks to sign in again.
    onError: (error) => {
      if (isSignedOut(error)) signOut();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      // What was refused will be refused again; what did not answer may.
      retry: (count, error) => error instanceof ApiUnreachable && count < 2,
      retryDelay: 1_000,
    },
  },
});
