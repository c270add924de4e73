import type { Service } from '../../../server/service.js';
import type { Store } from '../../../server/store/store.js';
import { emptyStore } from '../../support/emptyStore.js';
import { type ScriptedServer, startScriptedServer } from '../../support/scriptedServer.js';
import { startTestService } from '../../support/service.js';
import { HandClock } from './handClock.js';

/**
 * How the service comes to know the server. `named`: by the store, when a path says so. `afterMany`:
 * likewise, after so many others that it is told a moment later than they. `posting`: by what it posts.
 */
export type Arrival = 'named' | 'afterMany' | 'posting';

/** Every delay of the machines has a length of its own, so that it can be told by it. */
const env = {
  LINGER_MS: '7000',
  REQUEST_TIMEOUT_MS: '20000',
  PROBE_INTERVAL_MS: '30000',
  RESYNC_INTERVAL_MS: '100000',
};
export const lingerMs = Number(env.LINGER_MS);
/** Of the service: an actor that threw is replaced this much later. */
export const replacementMs = Number(env.REQUEST_TIMEOUT_MS);
/** Of the machine: so many are told in one moment, and the others so much later. */
const told = { servers: 50, pauseMs: 1 };

/** The real service with one scripted server, and a clock that a path turns by hand. */
export interface ServerStage {
  readonly arrival: Arrival;
  readonly clock: HandClock;
  readonly server: ScriptedServer;
  readonly service: Service;
  /** Has the store name the server. */
  name(): void;
  /** Has the time go by after which those are told of silence who were not told at once. */
  tellRest(): void;
  stop(): Promise<void>;
}

export async function startServerStage(arrival: Arrival): Promise<ServerStage> {
  const host = arrival === 'posting' ? '127.0.0.2' : '127.0.0.1';
  const server = await startScriptedServer({ host });
  // Nothing is answered before a path says so.
  server.respond({ kind: 'hang', effect: 'onArrival' });
  server.respond({ kind: 'hang', to: 'health' });
  // One that answers for many: all of 127.0.0.0/8 leads to it.
  const many = arrival === 'afterMany' ? await startScriptedServer({ host: '0.0.0.0' }) : undefined;
  const others = many
    ? Array.from({ length: told.servers }, (_, i) => `127.0.1.${i + 1}:${many.port}`)
    : [];
  let name = () => {};
  const named = new Promise<void>((resolve) => {
    name = resolve;
  });
  const list: Store['servers']['list'] = async () => {
    await named;
    const expiresAt = Date.now() + 600_000;
    return [{ server: server.id, origin: 'registered', expiresAt }];
  };
  const clock = new HandClock();
  const store = { ...emptyStore, servers: { ...emptyStore.servers, list } };
  const service = await startTestService(
    { ...env, PUBSUB_SERVERS: others.join(','), PUBSUB_PORT: `${server.port}` },
    { openStore: async () => store, clock },
  );
  return {
    arrival,
    clock,
    server,
    service,
    name,
    tellRest: () => {
      if (many) clock.fire(told.pauseMs);
    },
    stop: async () => {
      server.respond({ kind: 'normal' });
      server.respond({ kind: 'normal', to: 'health' });
      server.release();
      const stopped = service.stop();
      if (clock.isSet(told.pauseMs)) clock.fire(told.pauseMs);
      await stopped;
      await Promise.all([server.stop(), many?.stop()]);
    },
  };
}
