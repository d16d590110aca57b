import { useQuery } from "@tanstack/react-query";
import { call } from "../../api/call.ts";

/** The fleet as it is. All readers share what the orchestrator counted in this second, so asking often costs little. */
export const useOverview = () =>
  useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => call("GET /v1/overview", { signal }),
    refetchInterval: 2_000,
  });
