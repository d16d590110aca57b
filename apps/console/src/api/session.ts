import { createStore } from "./store.ts";

const place = "deeplens-key";

/** The key that this tab signed in with: gone with the tab. */
export const sessionKey = createStore<string | undefined>(sessionStorage.getItem(place) ?? undefined);

export const signIn = (key: string): void => {
  sessionStorage.setItem(place, key);
  sessionKey.set(key);
};

export const signOut = (): void => {
  sessionStorage.removeItem(place);
  sessionKey.set(undefined);
};

/** What goes with every call. */
export const sessionHeaders = (): Record<string, string> => {
  const key = sessionKey.get();
  return key === undefined ? {} : { authorization: `Bearer ${key}`, "x-deeplens-actor": "console" };
};
