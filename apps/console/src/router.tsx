import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Missing } from "./screens/missing.tsx";
import { Shell } from "./shell/shell.tsx";

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;

/** Takes the named words out of an address's search part: what a list is filtered by. */
const words =
  <K extends string>(...names: readonly K[]) =>
  (search: Record<string, unknown>): { readonly [Name in K]?: string | undefined } =>
    Object.fromEntries(names.map((name) => [name, textOf(search[name])])) as {
      [Name in K]?: string | undefined;
    };

const root = createRootRoute({ component: Shell, notFoundComponent: Missing });
const route = { getParentRoute: () => root } as const;

const tree = root.addChildren([
  createRoute({
    ...route,
    path: "/",
    component: lazyRouteComponent(() => import("./screens/fleet/fleet.tsx"), "Fleet"),
  }),
  createRoute({
    ...route,
    path: "/sagas",
    validateSearch: words("status", "step", "code", "failed", "slug", "text"),
    component: lazyRouteComponent(() => import("./screens/sagas/sagas.tsx"), "Sagas"),
  }),
  createRoute({
    ...route,
    path: "/sagas/$sagaId",
    validateSearch: words("view", "step"),
    component: lazyRouteComponent(() => import("./screens/saga/saga.tsx"), "SagaScreen"),
  }),
  createRoute({
    ...route,
    path: "/tenants",
    validateSearch: words("state", "text"),
    component: lazyRouteComponent(() => import("./screens/tenants/tenants.tsx"), "Tenants"),
  }),
  createRoute({
    ...route,
    path: "/tenants/new",
    component: lazyRouteComponent(() => import("./screens/new-tenant/new-tenant.tsx"), "NewTenant"),
  }),
  createRoute({
    ...route,
    path: "/tenants/$tenant",
    component: lazyRouteComponent(() => import("./screens/tenant/tenant.tsx"), "TenantScreen"),
  }),
  createRoute({
    ...route,
    path: "/groups",
    component: lazyRouteComponent(() => import("./screens/groups/groups.tsx"), "Groups"),
  }),
  createRoute({
    ...route,
    path: "/debts",
    component: lazyRouteComponent(() => import("./screens/debts/debts.tsx"), "Debts"),
  }),
  createRoute({
    ...route,
    path: "/audit",
    validateSearch: words("actor", "action", "subject"),
    component: lazyRouteComponent(() => import("./screens/audit/audit.tsx"), "Audit"),
  }),
]);

/** Places are behind `#`: every deep link is one file for whoever serves the page, behind any path. */
export const router = createRouter({
  routeTree: tree,
  history: createHashHistory(),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
