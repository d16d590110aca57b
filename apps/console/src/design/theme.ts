import { createStore } from "../api/store.ts";

const themes = ["system", "dark", "light"] as const;
export type Theme = (typeof themes)[number];

const place = "deeplens-theme";
const stored = localStorage.getItem(place);

/** What the reader chose; `system` follows the machine. */
export const theme = createStore<Theme>(themes.find((one) => one === stored) ?? "system");

export const applyTheme = (): void => {
  document.documentElement.dataset.theme = theme.get();
};

/** The next of system, dark and light, kept for the next visit. */
export const nextTheme = (): void => {
  const next = themes[(themes.indexOf(theme.get()) + 1) % themes.length] ?? "system";
  localStorage.setItem(place, next);
  theme.set(next);
  applyTheme();
};
