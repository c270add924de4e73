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
