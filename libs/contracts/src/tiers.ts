export const tierNames = ["free", "professional", "enterprise"] as const;

export type TierName = (typeof tierNames)[number];

export interface TierLimits {
  readonly storageBytes: number;
  readonly users: number;
  readonly apiCallsPerDay: number;
  /** Connections that the tenant's database takes. */
  readonly databaseConnections: number;
  readonly vectorMemoryBytes: number;
  readonly vectorCpus: number;
}

const mib = 1024 ** 2;
const gib = 1024 ** 3;

/** What each tier allows. Storage, connections, memory and CPU are enforced here; users and API calls travel in events. */
export const tiers: Readonly<Record<TierName, TierLimits>> = {
  free: {
    storageBytes: gib,
    users: 5,
    apiCallsPerDay: 1_000,
    databaseConnections: 20,
    vectorMemoryBytes: 512 * mib,
    vectorCpus: 0.5,
  },
  professional: {
    storageBytes: 50 * gib,
    users: 50,
    apiCallsPerDay: 50_000,
    databaseConnections: 50,
    vectorMemoryBytes: 2 * gib,
    vectorCpus: 1,
  },
  enterprise: {
    storageBytes: 500 * gib,
    users: 1_000,
    apiCallsPerDay: 1_000_000,
    databaseConnections: 200,
    vectorMemoryBytes: 8 * gib,
    vectorCpus: 2,
  },
};

/** The tier of that name in any case of letters, or undefined. */
export const tierOf = (text: string): TierName | undefined => {
  const lower = text.toLowerCase();
  return tierNames.find((name) => name === lower);
};
