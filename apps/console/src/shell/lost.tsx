import { lostSince } from "../api/connection.ts";
import { useStore } from "../api/store.ts";
import { useNow } from "../parts/clock.ts";
import { spanOf } from "../parts/span.ts";

/** Says that the orchestrator does not answer, and that what is shown is old. */
export const Lost = () => {
  const since = useStore(lostSince);
  return (
    <div role="status">
      {since !== undefined && (
        <p className="lost">
          No answer from the orchestrator for <LostFor since={since} />: what you see is from before. Trying
          again.
        </p>
      )}
    </div>
  );
};

const LostFor = ({ since }: { readonly since: Date }) => <>{spanOf(useNow() - since.getTime())}</>;
