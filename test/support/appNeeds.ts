import type { AppNeeds } from '../../server/http/app.js';
import { Hosts } from '../../server/http/auth/hosts.js';
import { Admission } from '../../server/http/guards/admission.js';
import { createLog } from '../../server/log.js';
import { EventTokens, type TokenClaims } from '../../server/pubsub/eventTokens.js';

/** Needs of an application that stands alone, with notes of what its routes passed on. */
export type LoneNeeds = AppNeeds & { lost: TokenClaims[] };

type Group = 'bodyLimits' | 'callbacks' | 'startup' | 'streams' | 'fleet';

/** What a test replaces: whole entries, or some fields of a group. */
export type AppOverrides = Partial<Omit<AppNeeds, Group>> & {
  [Entry in Group]?: Partial<AppNeeds[Entry]>;
} & { onLog?: (line: string) => void };

/** Needs whose parts do nothing but take notes; a test replaces those that it is about. */
export function appNeeds(overrides: AppOverrides = {}): LoneNeeds {
  const { onLog = () => {}, callbacks, startup, streams, fleet, bodyLimits, ...others } = overrides;
  const lost: TokenClaims[] = [];
  const inactive = { active: false, eventsUrl: 'http://127.0.0.1:1/api/events' };
  const needs = {
    lost,
    log: createLog('info', { write: onLog }),
    viewerToken: undefined,
    trustedProxies: undefined,
    proxySignIn: undefined,
    hosts: new Hosts({
      allowedHosts: undefined,
      publicUrl: 'http://127.0.0.1:1',
      isTokenRequired: others.viewerToken !== undefined,
    }),
    corsOrigins: [],
    bodyLimits: { maxBodyBytes: 1024, bodyTimeoutMs: 1000, ...bodyLimits },
    readTimeoutsMs: { stalled: 60_000, whole: 60_000 },
    isDraining: () => false,
    admission: new Admission({
      maxViewers: 1000,
      maxViewersPerAddress: 1000,
      viewers: () => streams?.feed?.viewers ?? 0,
      isDraining: others.isDraining ?? (() => false),
      trustedProxies: undefined,
    }),
    callbacks: {
      tokens: new EventTokens(),
      takePosted: () => {},
      noteUncountedPost: (claims: TokenClaims) => lost.push(claims),
      notePostWithoutToken: () => {},
      counts: { taken: 0, passed: 0, unknown_token: 0, refused: 0 },
      ...callbacks,
    },
    startup: {
      answer: () => ({ answer: inactive, afterwards: () => {} }),
      inactiveAnswer: () => inactive,
      logDefect: () => {},
      ...startup,
    },
    streams: { viewerConnected: () => {}, viewerDisconnected: () => {}, ...streams },
    page: undefined,
    // A route that a test does not ask for needs nothing.
    fleet: {
      servers: () => [],
      drift: () => 0,
      lastPause: () => null,
      dependencies: () => [],
      ...fleet,
    },
    dependencies: () => [],
    metrics: {
      token: undefined,
      hasOwnPort: false,
      expose: async () => ({ type: 'text/plain', text: '' }),
      scraped: () => {},
    },
    instances: () => [],
    activity: () => [],
    counts: {},
    serverRooms: {},
    serverRequests: {},
    rooms: { content: {} },
    roomStreams: {},
    connections: {},
    ...others,
  };
  return needs as unknown as LoneNeeds;
}
