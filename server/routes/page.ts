import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Router from '@koa/router';
import { send } from '@koa/send';
import type { Context } from 'koa';
import { apiError } from '../http/errors.js';

/** What the page may load and do (Content Security Policy, level 3): itself, and nothing else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const secondsPerYear = 31_536_000;

/** What the page needs of the rest of the service. */
export interface PageNeeds {
  /** Where it was built; undefined: it was not. */
  pageFolder: string | undefined;
}

/** `GET /` and `GET /assets/<file>`: the built page. It holds no numbers, so nobody has to sign in for it. */
export function pageRoutes(router: Router, { pageFolder: folder }: PageNeeds): void {
  router
    .get('/', (ctx) => sendPart(ctx, folder, 'index.html', 'no-cache'))
    // Names as the build makes them, from what is in the files; nothing is decoded in them.
    .get(/^\/assets\/[\w-][\w.-]*$/, (ctx) =>
      sendPart(ctx, folder, ctx.path.slice(1), `max-age=${secondsPerYear}, immutable`),
    );
}

async function sendPart(ctx: Context, folder: string | undefined, file: string, cache: string) {
  if (folder === undefined)
    throw apiError('not_found', 'The page is not built. "npm run build" builds it');
  await send(ctx, file, { root: folder }).catch((error: { status?: number }) => {
    throw error.status && error.status < 500 ? apiError('not_found') : error;
  });
  ctx.vary('Accept-Encoding');
  ctx.set('Cache-Control', cache);
  ctx.set('Content-Security-Policy', contentSecurityPolicy);
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** Beside the compiled service, or, when the sources run, in the folder that is built into. */
export function builtPage(): string | undefined {
  const folders = ['../page/', '../../dist/server/page/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return folders.find((folder) => existsSync(`${folder}/assets`));
}
