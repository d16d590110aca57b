import { useStore } from "../api/store.ts";
import { Dialog } from "../parts/dialog.tsx";
import { places } from "./places.ts";
import { setShortcuts, shortcutsOn } from "./shortcuts.ts";

const others = [
  ["n", "a new tenant"],
  ["/", "to the filter"],
  ["j k", "next row, row before; Enter opens it"],
  ["?", "this list"],
] as const;

/** Every key of the console. */
export const Help = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog title="Keys" onClose={onClose}>
    <dl className="facts">
      {places.map(({ to, title, key }) => (
        <Key key={to} keys={`g ${key}`} does={title} />
      ))}
      {others.map(([keys, does]) => (
        <Key key={keys} keys={keys} does={does} />
      ))}
    </dl>
    <label className="choice">
      <input
        type="checkbox"
        checked={useStore(shortcutsOn)}
        onChange={(event) => setShortcuts(event.target.checked)}
      />
      <span>These keys work (Tab, Enter and Escape always do)</span>
    </label>
    <form method="dialog">
      <button type="submit" className="button">
        Close
      </button>
    </form>
  </Dialog>
);

const Key = ({ keys, does }: { readonly keys: string; readonly does: string }) => (
  <>
    <dt>
      {keys.split(" ").map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </dt>
    <dd>{does}</dd>
  </>
);
