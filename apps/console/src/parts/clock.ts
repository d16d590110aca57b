import { createStore, useStore } from "../api/store.ts";

const now = createStore(Date.now());
setInterval(() => now.set(Date.now()), 1_000);

/** The time in ms, a second fine: what shows it is drawn again as it goes. */
export const useNow = (): number => useStore(now);
