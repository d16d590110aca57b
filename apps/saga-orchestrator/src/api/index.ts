export type { CredentialStore } from "./context.ts";
export { type ApiOptions, createApi } from "./create-api.ts";
