import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Answered } from '../../pubsub/startupQueries.js';
import type { QueryHead, StartupAnswer, StartupQuery } from '../../pubsub/startupQuery.js';
import type { Hosts } from '../auth/hosts.js';
import { isFromBrowser } from '../auth/origins.js';
import { hasDuplicateHost } from '../guards/requestSmuggling.js';
import { hostOf, isForwarded, remoteAddress } from '../remoteAddress.js';

/** What start-up queries need. */
export interface StartupNeeds {
  /** The answer, and what to do after it was sent. */
  answer: (query: StartupQuery, head: QueryHead) => Answered | Promise<Answered>;
  /** The answer to browsers, and after a defect. */
  inactiveAnswer: () => StartupAnswer;
  logDefect: (error: unknown) => void;
}

/** Longer values of a parameter are left out. */
const maxTextLength = 255;
const maxUrlLength = 2048;

/**
 * `GET /api/events/clients`: always 200 and JSON. A deployed pub-sub server crashes on a body that is
 * not JSON.
 */
export function startupRoutes(
  router: Router,
  { startup, hosts }: { startup: StartupNeeds; hosts: Hosts },
): void {
  router.get('/api/events/clients', async (ctx) => {
    try {
      // A page made the browser ask: it must not learn a token or make this service contact anything.
      if (isFromBrowser(ctx.req.headers)) {
        ctx.body = startup.inactiveAnswer();
        return;
      }
      const { answer, afterwards } = await startup.answer(queryOf(ctx, hosts), headOf(ctx, hosts));
      ctx.res.once('finish', afterwards);
      ctx.body = answer;
    } catch (error) {
      startup.logDefect(error);
      ctx.body = startup.inactiveAnswer();
    }
  });
}

function queryOf(ctx: Context, hosts: Hosts): StartupQuery {
  return {
    address: remoteAddress(ctx),
    localAddress: ctx.req.socket.localAddress,
    isForwarded: isForwarded(ctx),
    isMisnamed: !hosts.isOwn(hostOf(ctx)) || hasDuplicateHost(ctx.req),
    port: portOf(ctx.query.port),
    run: textOf(ctx, 'run', maxTextLength),
    renewal: renewalOf(ctx),
  };
}

function headOf(ctx: Context, hosts: Hosts): QueryHead {
  const host = hostOf(ctx);
  const signature = ctx.get('Dashboard-Signature');
  return {
    method: ctx.method,
    host,
    target: ctx.req.url ?? '',
    // Two `Host` headers may mean two things.
    signature: signature === '' || hasDuplicateHost(ctx.req) ? undefined : signature,
    ...hosts.nameIn(host),
    advertised: textOf(ctx, 'host', maxTextLength),
  };
}

/** `?renewal=true&active=...`: the server does not start, but tells what it does. */
function renewalOf(ctx: Context): StartupQuery['renewal'] {
  if (ctx.query.renewal !== 'true') return undefined;
  return {
    isActive: ctx.query.active === 'true',
    eventsUrl: textOf(ctx, 'eventsUrl', maxUrlLength),
  };
}

/** Undefined: the parameter is not given, given twice, empty or too long. */
function textOf(ctx: Context, name: string, maxLength: number): string | undefined {
  const text = ctx.query[name];
  return typeof text === 'string' && text !== '' && text.length <= maxLength ? text : undefined;
}

function portOf(text: string | string[] | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
