import { useQuery } from "@tanstack/react-query";
import { call } from "../../api/call.ts";
import { Empty } from "../../parts/empty.tsx";
import { Heading } from "../../parts/heading.tsx";
import { Loaded } from "../../parts/loaded.tsx";
import { GroupTable } from "./group-table.tsx";

/** What failed, by cause. */
export const Groups = () => {
  const query = useQuery({
    queryKey: ["groups"],
    queryFn: ({ signal }) => call("GET /v1/groups", { signal }),
    refetchInterval: 3_000,
  });
  return (
    <>
      <Heading title="Groups" note="Failed sagas by cause: the step, and its error's code." />
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing failed.">
              A saga that is rolled back or stuck appears here, beside its like.
            </Empty>
          ) : (
            <GroupTable groups={items} />
          )
        }
      </Loaded>
    </>
  );
};
