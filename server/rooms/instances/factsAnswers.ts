import { z } from 'zod';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { isWellFormed } from '../../pubsub/roomStates.js';
import { serverIdShape } from '../../serverIdShape.js';
import type { FleetFacts, RoomFacts } from '../lookup/fleetFacts.js';

const connections = z.int().min(0).nullable();

/** The answer to `GET /api/instances/rooms/holders`. */
const roomFacts = z.object({
  holders: z.array(
    z.object({
      server: serverIdShape,
      isStored: z.boolean(),
      connections,
      takesNames: z.boolean(),
      isGone: z.boolean(),
    }),
  ),
  connections,
  isComplete: z.boolean(),
  seen: z
    .object({ firstMs: z.number(), lastMs: z.number() })
    .nullish()
    .transform((seen) => seen ?? undefined),
});

/** A server in the answer to `GET /api/instances/rooms/servers`. */
export interface AnsweredServer {
  server: ServerId;
  takesNames: boolean;
  /** Whether it reported its connections in full, so that none is known to mean 0. */
  isCounted: boolean;
}

const servers = z.object({
  servers: z.array(
    z.object({ server: serverIdShape, takesNames: z.boolean(), isCounted: z.boolean() }),
  ),
});

/** Throws if the leader, which may be of another version, answers something else. */
export const parseRoomFacts = (answer: unknown): RoomFacts => roomFacts.parse(answer);

/** Throws like `parseRoomFacts`. */
export const parseServers = (answer: unknown): AnsweredServer[] => servers.parse(answer).servers;

/** All servers, without what differs from room to room. */
export async function answerServers(facts: FleetFacts): Promise<{ servers: AnsweredServer[] }> {
  const known = await facts.serversFor('');
  return {
    servers: known.map(({ server, takesNames, connections: count }) => ({
      server,
      takesNames,
      isCounted: count !== null,
    })),
  };
}

/** The path that asks for what is known of a room; undefined: its name has no UTF-8. */
export function holdersPath(room: RoomName, addresses: readonly string[]): string | undefined {
  if (!isWellFormed(room)) return undefined;
  const query = new URLSearchParams({ room });
  for (const address of addresses.slice(0, maxAddresses)) query.append('address', address);
  return `/api/instances/rooms/holders?${query}`;
}

export const serversPath = '/api/instances/rooms/servers';

/** As many as are asked for a room. */
const maxAddresses = 64;
