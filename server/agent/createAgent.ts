import { randomBytes } from 'node:crypto';
import { Access } from './access.js';
import { isLoopback, parseNetworks, Resolver } from './addresses.js';
import { agentName } from './agentName.js';
import type { Activation, Agent, AgentOptions } from './agentTypes.js';
import { ControlPort } from './controlPort.js';
import { ControlRequests } from './controlRequests.js';
import { dashboardQuery } from './dashboardQuery.js';
import { Outbound, type OutboundRequest } from './outbound.js';
import { OwnHosts, parseHostHeader } from './ownHosts.js';
import { type QueryKind, Registration } from './registration.js';
import { Reports } from './reports.js';
import { SafeLog } from './safeLog.js';
import { Signatures } from './signatures.js';
import { defaultTimings, type Timings } from './timings.js';
import { type Identity, Vitals } from './vitals.js';

export type { Activation, Agent, AgentDocuments, AgentLog, AgentOptions } from './agentTypes.js';

const defaultUrl = 'http://127.0.0.1:8000';
/** Loopback and the private ranges, as the service has them. Clouds serve credentials at link-local addresses. */
const defaultNetworks = '127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7'.split(
  ',',
);

/** Creates the agent of one server, which must close it. `testTimings` is for tests. */
export function createAgent(options: AgentOptions, testTimings: Partial<Timings> = {}): Agent {
  const { documents, advertise } = options;
  const timings = { ...defaultTimings, ...testTimings };
  const log = new SafeLog(options.log);
  const urls = dashboardUrls(options, log);
  const signatures = signaturesOf(options, log);
  const identity: Identity = {
    run: randomBytes(9).toString('base64url'),
    name: options.name || agentName(),
    hostKind: options.hostKind,
  };
  const vitals = new Vitals(identity, documents);
  const queries = new Outbound({ deadlineMs: timings.deadlineMs, maxSockets: 1 });
  const reports = new Reports({
    documents,
    timings,
    log,
    changed: ({ active }) => vitals.measure(active),
    missed: () => registration.askAgain(),
  });
  const registration = new Registration({ urls, timings, log, send, query, answered });
  const requests = new ControlRequests({
    documents,
    vitals,
    log,
    access: accessOf(options, { urls, signatures, log }),
    answerMs: timings.answerMs,
    stalledMs: timings.stalledMs,
    activation: () => reports.activation,
    activate: (activation) => {
      reports.activate(activation);
      registration.noteRequest();
    },
    watch: (list) => reports.watch(list),
  });
  const controlPort = new ControlPort({
    port: options.port ?? 0,
    host: options.host,
    urls,
    log,
    retryMs: timings.firstRetryMs,
    handle: (...exchange) => requests.handle(...exchange),
    listening: (actual) => {
      port = actual;
      registration.start();
    },
  });
  let port = 0;
  let askedWith: Activation | undefined;
  let starting: Promise<{ port: number }> | undefined;
  let closing: Promise<void> | undefined;

  return {
    opened: (room) => report(room, () => reports.announce(room, 1)),
    closed: (room) => report(room, () => reports.announce(room, -1)),
    updated: (room, update) => report(room, () => reports.updated(room, update)),
    awarenessUpdated: (room, update) => report(room, () => reports.awarenessUpdated(room, update)),
    isWatched: (room) => reports.isWatched(room),
    start: (given) => {
      starting ??= start(given?.server ?? options.server);
      return starting;
    },
    handle: (request, response) => requests.handle(request, response, false),
    activation: () => reports.activation,
    settled: () => settledWithin(timings.deadlineMs * 10),
    close: () => {
      closing ??= close();
      return closing;
    },
  };

  async function start(server: AgentOptions['server']): Promise<{ port: number }> {
    if (server && !signatures && !urls.every(isLoopbackUrl)) log.warn(sharedWithoutSecret);
    return { port: await controlPort.open(server) };
  }

  /** Signs the request if there is a secret. */
  function send(request: OutboundRequest) {
    if (!signatures) return queries.send(request);
    const { host, pathname, search } = new URL(request.url);
    const { method, body = '' } = request;
    const signature = signatures.sign({ method, host, target: pathname + search, body });
    return queries.send({ ...request, headers: { host, 'dashboard-signature': signature } });
  }

  function query(kind: QueryKind): string {
    askedWith = reports.activation;
    return dashboardQuery(kind, { port, advertise, identity, activation: reports.activation });
  }

  /** A renewal never replaces a URL, and no answer one that came meanwhile. */
  function answered(kind: QueryKind, answer: Activation): void {
    const { activation } = reports;
    reports.resume();
    if (activation !== askedWith) return;
    if (answer.active && (kind === 'startup' || !activation.active)) reports.activate(answer);
    if (!answer.active && activation.active) reports.activate({ ...activation, active: false });
  }

  async function close(): Promise<void> {
    registration.close();
    await settledWithin(timings.flushMs);
    controlPort.close();
    reports.close();
    queries.close();
  }

  /** Only this keeps the process alive: who calls it waits for it. */
  async function settledWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([reports.settled(), tooLate]);
    clearTimeout(timer);
  }

  function report(room: string, note: () => void): void {
    try {
      if (typeof room === 'string') note();
    } catch (cause) {
      log.warn(`pubsub-dashboard: a change was not reported: ${String(cause)}`);
    }
  }
}

const isLoopbackUrl = (url: string) => isLoopback(new URL(url).hostname);

const sharedWithoutSecret =
  'pubsub-dashboard: the agent shares a port without a secret. Set `secret`: without it, clients in `networks` can read documents.';

function dashboardUrls({ url = defaultUrl }: AgentOptions, log: SafeLog): string[] {
  return [url].flat().filter((each) => {
    const isUrl = /^https?:/i.test(each) && URL.canParse(each);
    if (!isUrl) log.warn(`pubsub-dashboard: ${JSON.stringify(each)} is not a URL of a dashboard`);
    return isUrl;
  });
}

function signaturesOf({ secret }: AgentOptions, log: SafeLog): Signatures | undefined {
  if (secret === undefined) return undefined;
  const secrets = [secret].flat().filter((each) => each !== '');
  if (secrets.length === 0) log.warn('pubsub-dashboard: `secret` is empty: there is none');
  return secrets.length > 0 ? new Signatures(secrets) : undefined;
}

function accessOf(
  options: AgentOptions,
  { urls, signatures, log }: { urls: string[]; signatures: Signatures | undefined; log: SafeLog },
): Access {
  const { dashboards = [], advertise } = options;
  const resolver = new Resolver();
  const networks = parseNetworks(options.networks ?? defaultNetworks);
  for (const entry of networks.invalid) {
    log.warn(`pubsub-dashboard: ${JSON.stringify(entry)} in \`networks\` is not a CIDR`);
  }
  if (advertise !== undefined && !parseHostHeader(advertise)) {
    log.warn(
      `pubsub-dashboard: ${JSON.stringify(advertise)} is not a host or host:port to advertise`,
    );
  }
  const ownHosts = new OwnHosts(resolver, advertise);
  return new Access({ signatures, networks, ownHosts, resolver, urls, dashboards });
}
