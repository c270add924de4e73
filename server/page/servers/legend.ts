/** A color, and the servers that have it. */
export interface LegendEntry {
  color: string;
  /** The first ones. */
  names: string[];
  /** How many have it besides. */
  more: number;
}

const maxNames = 2;

/** The colors of servers, in the order of the servers. Servers without a color are left out. */
export function legendOf(servers: readonly { shortName: string; color: string }[]): LegendEntry[] {
  const entries = new Map<string, LegendEntry>();
  for (const { shortName, color } of servers) {
    const entry = entries.get(color) ?? { color, names: [], more: 0 };
    entries.set(color, entry);
    if (entry.names.length < maxNames) entry.names.push(shortName);
    else entry.more += 1;
  }
  return [...entries.values()];
}
