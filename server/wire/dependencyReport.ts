/** The health of something outside that the service uses: Redis, a table, a name in DNS. */
export interface DependencyReport {
  /** `redis`, `cluster`, `rooms`, `servers`, `connections` (tables), `data_dir`, `dns:<name>`, `ecs`, `webhook`. */
  name: string;
  /** Without credentials: `redis.internal:6379`, `table rooms in eu-west-1`. */
  where: string;
  /** `unknown`: it was not asked yet, or its first answer is pending. */
  state: 'unknown' | 'answers' | 'fails';
  /** When the state began, in ISO 8601; null: it is unknown. */
  since: string | null;
  /** Why it fails, one plain sentence; null: it does not. */
  cause: string | null;
  /** Failures since the service started. */
  errors: number;
}
