import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { apiError } from '../errors.js';
import { readStaticFiles, type StaticFiles, sendStatic } from '../staticFiles.js';

/** The page may load its own files and nothing else (Content Security Policy, level 3). */
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

/**
 * `GET /` and `GET /assets/<file>`: the built page. It contains no data, so it needs no authentication.
 * `files` is undefined if the page was not built.
 */
export function pageRoutes(router: Router, files: StaticFiles | undefined): void {
  router
    .get('/', (ctx) => sendPart(ctx, files, 'index.html', 'no-cache'))
    // The build names files by their content, with these characters only.
    .get(/^\/assets\/[\w-][\w.-]*$/, (ctx) =>
      sendPart(ctx, files, ctx.path.slice(1), `max-age=${secondsPerYear}, immutable`),
    );
}

function sendPart(ctx: Context, files: StaticFiles | undefined, file: string, cache: string) {
  if (!files) throw apiError('not_found', 'the page is not built; run "npm run build"');
  if (!sendStatic(ctx, files, file)) throw apiError('not_found');
  ctx.set('Cache-Control', cache);
  ctx.set('Content-Security-Policy', contentSecurityPolicy);
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** Reads the page built beside the compiled service, or in `dist` when the sources run. */
export function builtPage(): StaticFiles | undefined {
  const folders = ['../../page/', '../../../dist/server/page/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const built = folders.find((folder) => existsSync(`${folder}/assets`));
  return built === undefined ? undefined : readStaticFiles(built);
}
