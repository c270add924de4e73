/**
 * Calls `changed` in the same step in which an entry is set, deleted or all are cleared, with the
 * entry that was set. Returns what ends it. The map stays the same object, because a library and
 * its users may hold it.
 */
export function watchMap<K, V>(map: Map<K, V>, changed: (key?: K, value?: V) => void): () => void {
  const { set, delete: remove, clear } = map;
  // Somebody may wrap these methods too and restore ours later: then they only pass calls on.
  let isWatching = true;
  const told = (key?: K, value?: V) => {
    if (isWatching) changed(key, value);
  };
  const watching = {
    set(key: K, value: V) {
      set.call(map, key, value);
      told(key, value);
      return map;
    },
    delete(key: K) {
      const was = remove.call(map, key);
      if (was) told();
      return was;
    },
    clear() {
      clear.call(map);
      told();
    },
  };
  for (const [name, value] of Object.entries(watching)) {
    Object.defineProperty(map, name, { value, configurable: true, writable: true });
  }
  return () => {
    isWatching = false;
    const before = { set, delete: remove, clear };
    for (const name of ['set', 'delete', 'clear'] as const) {
      if (map[name] === watching[name]) {
        Object.defineProperty(map, name, {
          value: before[name],
          configurable: true,
          writable: true,
        });
      }
    }
  };
}
