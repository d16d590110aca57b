import { Outlet } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { sessionKey } from "../api/session.ts";
import { useStore } from "../api/store.ts";
import { SignIn } from "../screens/sign-in.tsx";
import { Help } from "./help.tsx";
import { Lost } from "./lost.tsx";
import { Rail } from "./rail.tsx";
import { useShortcuts } from "./shortcuts.ts";

/** What is around every screen. Who is not signed in gets the way in, at the place that was asked for. */
export const Shell = () => (useStore(sessionKey) === undefined ? <SignIn /> : <Inside />);

const Inside = () => {
  const [isHelpOpen, setHelpOpen] = useState(false);
  useShortcuts(useCallback(() => setHelpOpen(true), []));
  return (
    <div className="shell">
      <button
        type="button"
        className="button skip"
        onClick={() => document.querySelector<HTMLElement>("main")?.focus()}
      >
        To the screen
      </button>
      <Rail help={() => setHelpOpen(true)} />
      <div>
        <Lost />
        <main className="page" id="main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </div>
  );
};
