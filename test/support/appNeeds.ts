import type { Feed } from '../../server/fleet/feed.js';
import type { AppNeeds } from '../../server/http/app.js';
import { Hosts } from '../../server/http/auth/hosts.js';
import { ViewerAddresses } from '../../server/http/guards/admission.js';
import { createLog } from '../../server/log.js';
import { EventTokens, type TokenClaims } from '../../server/pubsub/eventTokens.js';

/** Needs of an application that stands alone, with notes of what its routes passed on. */
export type LoneNeeds = AppNeeds & { lost: TokenClaims[]; feed: Feed };

/** Needs whose parts do nothing but take notes; a test replaces those that it is about. */
export function appNeeds(overrides: Partial<AppNeeds> & { onLog?: (line: string) => void } = {}) {
  const { onLog = () => {}, ...others } = overrides;
  const lost: TokenClaims[] = [];
  const inactive = { active: false, eventsUrl: 'http://127.0.0.1:1/api/events' };
  const needs: Partial<AppNeeds> & { lost: TokenClaims[] } = {
    lost,
    log: createLog('info', { write: onLog }),
    tokens: new EventTokens(),
    viewerToken: undefined,
    trustedProxies: undefined,
    hosts: new Hosts({
      allowedHosts: undefined,
      publicUrl: 'http://127.0.0.1:1',
      isTokenRequired: others.viewerToken !== undefined,
    }),
    maxBodyBytes: 1024,
    corsOrigins: [],
    bodyTimeoutMs: 1000,
    readTimeoutsMs: { stalled: 60_000, whole: 60_000 },
    maxViewers: 1000,
    addresses: new ViewerAddresses(1000),
    viewers: () => others.feed?.viewers ?? 0,
    isDraining: () => false,
    takePosted: () => {},
    noteLost: (claims) => lost.push(claims),
    noteStranger: () => {},
    answerStartup: () => ({ answer: inactive, afterwards: () => {} }),
    inactiveAnswer: () => inactive,
    logDefect: () => {},
    viewerConnected: () => {},
    viewerDisconnected: () => {},
    servers: () => [],
    pageFiles: undefined,
    ...others,
  };
  // Routes that a test does not ask for need nothing.
  return needs as LoneNeeds;
}
