import { randomBytes } from 'node:crypto';
import type { Activation, Agent, AgentOptions } from './agentTypes.js';
import { ContentPosts } from './contentPosts.js';
import { ControlListener } from './controlListener.js';
import { answerControl } from './controlRequests.js';
import { EventPosts } from './eventPosts.js';
import { Outbound } from './outbound.js';
import { type QueryKind, Registration } from './registration.js';
import { SafeLog } from './safeLog.js';
import { portOf, sharePort } from './sharedPort.js';
import { defaultTimings, type Timings } from './timings.js';

export type { Activation, Agent, AgentDocuments, AgentLog, AgentOptions } from './agentTypes.js';

/** Creates the agent of one server, which must close it. `timings` is for tests. */
export function createAgent(options: AgentOptions, timings: Partial<Timings> = {}): Agent {
  const { documents } = options;
  const times = { ...defaultTimings, ...timings };
  const log = new SafeLog(options.log);
  const outbound = new Outbound({ deadlineMs: times.deadlineMs, maxSockets: 8 });
  // Sockets of its own, so that no delta waits behind content.
  const contentOutbound = new Outbound({ deadlineMs: times.deadlineMs, maxSockets: 2 });
  const run = randomBytes(9).toString('base64url');
  let activation: Activation = { active: false, eventsUrl: '' };
  let port = 0;
  let unshare: (() => void) | undefined;
  let closing: Promise<void> | undefined;
  const events = new EventPosts({
    send: (request) => outbound.send(request),
    gatherMs: times.gatherMs,
    refused: forgotten,
    suspended: () => registration.askAgain(),
  });
  const updates = new ContentPosts({
    send: (request) => contentOutbound.send(request),
    gatherMs: times.gatherMs,
    retryMs: times.firstRetryMs,
    url: () => (activation.active && activation.updates ? activation.eventsUrl : undefined),
    refused: forgotten,
    tellsLost: false,
  });
  const registration = new Registration({
    urls: typeof options.url === 'string' ? [options.url] : (options.url ?? [defaultUrl]),
    timings: times,
    log,
    send: (request) => outbound.send(request),
    query,
    answered,
  });
  const listener = new ControlListener(handle);

  return {
    opened: (room) => announce(room, 1),
    closed: (room) => announce(room, -1),
    updated: (room, update) => updates.put(room, 'update', update),
    awarenessUpdated: () => undefined,
    isWatched: () => false,
    start,
    handle,
    activation: () => activation,
    settled: async () => {
      await Promise.all([events.settled(), updates.settled()]);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };

  function handle(...[request, response]: Parameters<Agent['handle']>): boolean {
    return answerControl({ documents, log, activate }, request, response);
  }

  function announce(room: string, add: 1 | -1): void {
    if (activation.active) events.put(activation.eventsUrl, room, add);
  }

  function activate(wanted: Activation): void {
    activation = wanted;
    events.resume();
    if (!wanted.active || !wanted.updates) updates.clear();
  }

  /** The dashboard does not know the URL: it was restarted, or was told to forget this server. */
  function forgotten(url: string): void {
    if (url !== activation.eventsUrl) return;
    activation = { active: false, eventsUrl: '' };
    registration.askAgain();
  }

  function query(kind: QueryKind): string {
    const parameters = new URLSearchParams({ port: `${port}`, run, capabilities: 'names' });
    if (kind === 'renewal') {
      parameters.set('renewal', 'true');
      parameters.set('active', `${activation.active}`);
      if (activation.eventsUrl) parameters.set('eventsUrl', activation.eventsUrl);
    }
    return `${parameters}`;
  }

  function answered(kind: QueryKind, wanted: Activation): void {
    events.resume();
    if (kind === 'startup' ? wanted.active : wanted.active !== activation.active) {
      activation = wanted.active ? wanted : { ...activation, active: false };
    }
  }

  async function start({ server = options.server }: Parameters<Agent['start']>[0] = {}) {
    if (server) {
      unshare = sharePort(server, handle);
      port = await portOf(server);
    } else {
      port = await listener.listen({ port: options.port ?? 0, host: options.host });
    }
    registration.start();
    return { port };
  }

  async function close(): Promise<void> {
    registration.close();
    await Promise.race([
      Promise.all([events.settled(), updates.settled()]),
      new Promise((resolve) => setTimeout(resolve, times.flushMs).unref()),
    ]);
    events.clear();
    updates.clear();
    unshare?.();
    listener.close();
    outbound.close();
    contentOutbound.close();
  }
}

const defaultUrl = 'http://127.0.0.1:8000';
