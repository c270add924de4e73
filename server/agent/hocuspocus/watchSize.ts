/**
 * Calls `changed` in the same synchronous step in which the map grows or shrinks. Replaces methods of
 * this one map, not the map: others may already hold it, or watch it too.
 */
export function watchSize(map: Map<unknown, unknown>, changed: (by: number) => void): void {
  for (const name of ['set', 'delete', 'clear'] as const) {
    const method = map[name] as (...parameters: unknown[]) => unknown;
    const value = (...parameters: unknown[]) => {
      const before = map.size;
      const result = method.apply(map, parameters);
      if (map.size !== before) changed(map.size - before);
      return result;
    };
    Object.defineProperty(map, name, { value, configurable: true, writable: true });
  }
}

/** Calls `changed` in the same synchronous step in which this number of an object changes. */
export function watchNumber<K extends string>(
  object: { [key in K]?: number },
  key: K,
  changed: (by: number) => void,
): void {
  let number: number = object[key] ?? 0;
  Object.defineProperty(object, key, {
    get: () => number,
    set: (next: number) => {
      const by = next - number;
      number = next;
      if (by !== 0) changed(by);
    },
    configurable: true,
    enumerable: true,
  });
}
