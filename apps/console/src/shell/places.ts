/** The screens that the rail leads to, each with the key that follows `g`. */
export const places = [
  { to: "/", title: "Fleet", key: "f" },
  { to: "/groups", title: "Groups", key: "r" },
  { to: "/debts", title: "Debts", key: "d" },
  { to: "/tenants", title: "Tenants", key: "t" },
  { to: "/sagas", title: "Sagas", key: "s" },
  { to: "/audit", title: "Audit", key: "a" },
] as const;
