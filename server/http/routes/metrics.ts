import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { wordParameter } from './query.js';

/** What the metrics for Prometheus need. */
export interface MetricsNeeds {
  /** The token that scrapers must send; undefined: what viewers must send. */
  token: string | undefined;
  /** Whether they are served at `METRICS_PORT`, and not here. */
  hasOwnPort: boolean;
  /** The metrics of now, with their Content-Type. */
  expose: () => Promise<{ type: string; text: string }>;
  /** Called with each scrape. `isLook`: it asks to count as a viewer. */
  scraped: (scrape: { isLook: boolean }) => void;
}

/** `GET /metrics`: in Prometheus' text format. With `?fleet=true` the scraper counts as a viewer for a while. */
export function metricsRoutes(
  router: Router,
  { expose, scraped }: Pick<MetricsNeeds, 'expose' | 'scraped'>,
  requireToken: Middleware,
): void {
  router.get('/metrics', requireToken, async (ctx) => {
    const isLook = wordParameter(ctx, 'fleet', ['false', 'true']) === 'true';
    if (ctx.method === 'GET') scraped({ isLook });
    const { type, text } = await expose();
    ctx.set('Content-Type', type);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = text;
  });
}
