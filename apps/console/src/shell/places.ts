/** The screens that the rail leads to, each with the key that follows `g`. */
export const places = [
  { to: "/tenants", title: "Tenants", key: "t" },
  { to: "/sagas", title: "Sagas", key: "s" },
] as const;
