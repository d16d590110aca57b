type Packages = Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
export function matches(wanted: Packages, installed: Packages): boolean;
export function ensurePackages(root: string): Promise<void>;
