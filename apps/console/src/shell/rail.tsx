import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { signOut } from "../api/session.ts";
import { useStore } from "../api/store.ts";
import { nextTheme, theme } from "../design/theme.ts";
import { places } from "./places.ts";

/** Where one can go; on a phone a bar above the screen. */
export const Rail = ({ help }: { readonly help: () => void }) => {
  const queries = useQueryClient();
  return (
    <header className="rail">
      <Link to="/" className="brand">
        <Mark />
        <span>DeepLens</span>
      </Link>
      <nav aria-label="Screens">
        <ul>
          {places.map(({ to, title }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ includeSearch: false, exact: to === "/" }}>
                <span>{title}</span>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="foot">
        <button type="button" className="button plain" onClick={nextTheme}>
          Theme: {useStore(theme)}
        </button>
        <button type="button" className="button plain" onClick={help}>
          Keys <kbd>?</kbd>
        </button>
        <button
          type="button"
          className="button plain"
          onClick={() => {
            signOut();
            queries.clear();
          }}
        >
          Sign out
        </button>
      </div>
    </header>
  );
};

const Mark = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <circle cx="16" cy="16" r="12" fill="none" stroke="var(--accent)" strokeWidth="3" />
    <circle cx="16" cy="16" r="4.5" fill="var(--warn)" />
  </svg>
);
