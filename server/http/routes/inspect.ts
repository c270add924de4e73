import { readFile } from 'node:fs/promises';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { InspectedEvents, Inspector } from '../../inspection/inspector.js';
import { inspectPage, inspectPolicy } from '../../inspection/inspectPage.js';
import { apiError } from '../errors.js';
import type { Admission } from '../guards/admission.js';
import { wordParameter } from './query.js';

const events: readonly [InspectedEvents, ...InspectedEvents[]] = ['few', 'all'];
const script = new URL('../../inspection/relay.js', import.meta.url);

/**
 * `GET /inspect`: the page with the Stately inspector; `GET /inspect/events`: its messages. `inspector`
 * is undefined if `INSPECT` is off.
 */
export function inspectRoutes(
  router: Router,
  inspector: Inspector | undefined,
  admission: Admission,
): void {
  router
    .get('/inspect', (ctx) => {
      requireInspector(inspector);
      // The page has relative URLs, and this service never redirects.
      if (ctx.path.endsWith('/'))
        throw apiError('not_found', 'the page is at "inspect", without a slash at the end');
      protect(ctx);
      ctx.type = 'text/html';
      ctx.body = inspectPage;
    })
    .get('/inspect/relay.js', async (ctx) => {
      requireInspector(inspector);
      protect(ctx);
      ctx.type = 'text/javascript';
      ctx.body = await readFile(script, 'utf8');
    })
    .get('/inspect/events', (ctx) => {
      const running = requireInspector(inspector);
      const wanted = wordParameter(ctx, 'events', events);
      // Not `viewer.connected`: inspecting the machine must not activate it.
      const viewer = admission.admit(ctx, 'inspector', running.isFull);
      if (!viewer) return;
      running.add(viewer, wanted);
      viewer.onGone(() => running.remove(viewer));
    });
}

function requireInspector(inspector: Inspector | undefined): Inspector {
  if (inspector) return inspector;
  throw apiError('not_found', 'the inspector is off; set INSPECT=true to turn it on');
}

function protect(ctx: Context): void {
  ctx.set('Content-Security-Policy', inspectPolicy);
  ctx.set('Referrer-Policy', 'no-referrer');
  ctx.set('Cache-Control', 'no-cache');
}
