import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A load balancer of TCP connections. It exists before its targets. */
export interface TcpBalancer {
  url: string;
  /** URLs of those that get connections in turn. */
  targets: string[];
  stop: () => Promise<void>;
}

export async function startTcpBalancer(): Promise<TcpBalancer> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    const target = targets[turn % targets.length];
    turn += 1;
    if (target === undefined) return void client.destroy();
    const { hostname, port } = new URL(target);
    const there = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, there],
      [there, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
