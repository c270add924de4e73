import { readFileSync } from 'node:fs';

/**
 * Bytes on their way from a port of this machine that the kernel holds, by the port that they go to: sent
 * and not taken in by the other side, or taken in and not read (proc(5), /proc/net/tcp).
 */
export function kernelBytes(fromPort: number): Map<number, number> {
  const held = new Map<number, number>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)) {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/);
    const [unsent = 0, unread = 0] = queues.split(':').map((hex) => Number.parseInt(hex, 16));
    if (portOf(local) === fromPort) add(held, portOf(remote), unsent);
    if (portOf(remote) === fromPort) add(held, portOf(local), unread);
  }
  return held;
}

const portOf = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16);

const add = (held: Map<number, number>, port: number, bytes: number) =>
  held.set(port, (held.get(port) ?? 0) + bytes);
