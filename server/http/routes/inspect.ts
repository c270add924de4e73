import { readFile } from 'node:fs/promises';
import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { InspectedEvents, Inspector } from '../../inspection/inspector.js';
import { inspectPage, inspectPolicy } from '../../inspection/inspectPage.js';
import { apiError } from '../errors.js';
import { type Admission, admitViewer } from '../guards/admission.js';
import { wordParameter } from './query.js';

/** What the inspector's routes need of the rest of the service. */
export interface InspectNeeds extends Admission {
  /** Undefined: the service runs without it. */
  inspector: Inspector | undefined;
}

const events: readonly [InspectedEvents, ...InspectedEvents[]] = ['few', 'all'];
const script = new URL('../../inspection/relay.js', import.meta.url);

/** `GET /inspect`: the page around the Stately inspector; `GET /inspect/events`: the messages for it. */
export function inspectRoutes(router: Router, authenticate: Middleware, needs: InspectNeeds): void {
  router
    .get('/inspect', authenticate, (ctx) => {
      inspectorOf(needs);
      // The page names what it needs relative to its own path, and no answer of this service is a redirect.
      if (ctx.path.endsWith('/'))
        throw apiError('not_found', 'the page is at "inspect", without a slash at its end');
      protect(ctx);
      ctx.type = 'text/html';
      ctx.body = inspectPage;
    })
    .get('/inspect/relay.js', authenticate, async (ctx) => {
      inspectorOf(needs);
      protect(ctx);
      ctx.type = 'text/javascript';
      ctx.body = await readFile(script, 'utf8');
    })
    .get('/inspect/events', authenticate, (ctx) => {
      const inspector = inspectorOf(needs);
      const wanted = wordParameter(ctx, 'events', events);
      // It is no viewer of the counts: to look at the machine must not set it going.
      const viewer = admitViewer(ctx, needs, inspector.isFull);
      if (!viewer) return;
      inspector.add(viewer, wanted);
      viewer.onGone(() => inspector.remove(viewer));
    });
}

function inspectorOf({ inspector }: InspectNeeds): Inspector {
  if (inspector) return inspector;
  throw apiError('not_found', 'the inspector is off, INSPECT=true switches it on');
}

function protect(ctx: Context): void {
  ctx.set('Content-Security-Policy', inspectPolicy);
  ctx.set('Referrer-Policy', 'no-referrer');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cache-Control', 'no-cache');
}
