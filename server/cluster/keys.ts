/** The keys of a cluster. The name in braces puts all of them into one slot of a Redis Cluster. */
export const clusterKeys = {
  /** Hash: see scripts/acquire.lua. */
  lease: '{pubsub-dashboard}:lease',
  /** Hash: what each instance said with its last beat. */
  instances: '{pubsub-dashboard}:instances',
  /** Lists of entries. */
  inbox: '{pubsub-dashboard}:inbox',
  taken: '{pubsub-dashboard}:taken',
  /** Hash: pub-sub servers. */
  servers: '{pubsub-dashboard}:servers',
  /** List: the last events, oldest first. */
  activity: '{pubsub-dashboard}:activity',
  /** Sorted set: sessions that signed out, by their expiry. */
  signOuts: '{pubsub-dashboard}:sign-outs',
  /** Hash: see scripts/signOut.lua. */
  aboutSignOuts: '{pubsub-dashboard}:sign-outs:about',
  /** Prefix of counters. */
  attempts: '{pubsub-dashboard}:attempts',
} as const;
