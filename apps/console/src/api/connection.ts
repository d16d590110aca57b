import { createStore } from "./store.ts";

/** Since when the API does not answer; undefined while it does. */
export const lostSince = createStore<Date | undefined>(undefined);

export const heard = (): void => lostSince.set(undefined);
export const unheard = (): void => {
  if (lostSince.get() === undefined) lostSince.set(new Date());
};
