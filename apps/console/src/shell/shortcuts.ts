import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { createStore } from "../api/store.ts";
import { places } from "./places.ts";

const place = "deeplens-shortcuts";

/** Keys without a modifier can be turned off: who speaks to the machine would set them off by accident. */
export const shortcutsOn = createStore(localStorage.getItem(place) !== "off");
export const setShortcuts = (on: boolean): void => {
  localStorage.setItem(place, on ? "on" : "off");
  shortcutsOn.set(on);
};

const typesText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;

/** `g` and a letter go to a screen, `n` asks for a tenant, `/` goes to the filter, `j` and `k` walk rows, `?` tells all. */
export const useShortcuts = (help: () => void): void => {
  const navigate = useNavigate();
  useEffect(() => {
    let afterG = false;
    const onKey = (event: KeyboardEvent): void => {
      if (!shortcutsOn.get() || event.ctrlKey || event.metaKey || event.altKey || typesText(event.target))
        return;
      if (document.querySelector("dialog[open]") !== null) return;
      const go = afterG ? places.find(({ key }) => key === event.key) : undefined;
      afterG = event.key === "g";
      if (go !== undefined) void navigate({ to: go.to });
      else if (event.key === "n") void navigate({ to: "/tenants/new" });
      else if (event.key === "/") focusFirst("[data-filter]");
      else if (event.key === "j") walkRows(1);
      else if (event.key === "k") walkRows(-1);
      else if (event.key === "?") help();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, help]);
};

const focusFirst = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus();

const walkRows = (by: 1 | -1): void => {
  const rows = [...document.querySelectorAll<HTMLElement>(".row-link")];
  const at = rows.findIndex((row) => row.matches(":focus"));
  const next = at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by;
  rows[next]?.focus();
};
