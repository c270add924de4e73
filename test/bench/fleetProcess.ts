/** A process with many pub-sub servers that speak the contract and nothing else; some of them hang. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerUsage } from './usage.js';

interface FleetOptions {
  servers: number;
  hung: number;
  rooms: number;
}

/** Connections in each room; `contentOf` of `fleet.ts` rests on it. */
const connectionsPerRoom = 2;

const { servers, hung, rooms } = JSON.parse(process.argv[2] ?? '{}') as FleetOptions;
const ports: number[] = [];

function createPubSubServer(index: number) {
  const roomNames = Array.from({ length: rooms }, (_, room) => `room-${index}-${room}`);
  const snapshot = JSON.stringify(roomNames.map((room) => ({ [room]: connectionsPerRoom })));
  const isHung = index >= servers - hung;
  let isMuted = false;
  return createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => {
      // It answers while it is told to be silent, and hangs from the first activation on.
      isMuted ||= isHung && body.includes('"active":true');
      if (isMuted) return;
      const isActive = body.includes('"active":true');
      res.setHeader('Content-Type', isActive ? 'application/json' : 'text/plain');
      res.end(isActive ? snapshot : 'okay');
    });
  });
}

answerUsage();
for (let index = 0; index < servers; index += 1) {
  const server = createPubSubServer(index);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ports.push((server.address() as AddressInfo).port);
}
process.send?.({ type: 'listening', ports });
