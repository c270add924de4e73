/** The server does not do what a check expects. The message says what was seen. */
export class Failure extends Error {}

/** A check does not apply to this server. The message says why. */
export class Skip extends Error {}

/** Throws a `Failure` with `seen` unless the condition holds. */
export function expect(condition: boolean, seen: string): void {
  if (!condition) throw new Failure(seen);
}
