import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { apiError } from '../errors.js';
import { readStaticFiles, type StaticFiles, sendStatic } from '../staticFiles.js';

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
  /** The files of the built page; undefined: it was not built. */
  pageFiles: StaticFiles | undefined;
}

/** `GET /` and `GET /assets/<file>`: the built page. It holds no numbers, so nobody has to sign in for it. */
export function pageRoutes(router: Router, { pageFiles: files }: PageNeeds): void {
  router
    .get('/', (ctx) => sendPart(ctx, files, 'index.html', 'no-cache'))
    // Names as the build makes them, from what is in the files; nothing is decoded in them.
    .get(/^\/assets\/[\w-][\w.-]*$/, (ctx) =>
      sendPart(ctx, files, ctx.path.slice(1), `max-age=${secondsPerYear}, immutable`),
    );
}

function sendPart(ctx: Context, files: StaticFiles | undefined, file: string, cache: string) {
  if (!files) throw apiError('not_found', 'The page is not built. "npm run build" builds it');
  if (!sendStatic(ctx, files, file)) throw apiError('not_found');
  ctx.set('Cache-Control', cache);
  ctx.set('Content-Security-Policy', contentSecurityPolicy);
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** Read from beside the compiled service or, when the sources run, from the folder that is built into. */
export function builtPage(): StaticFiles | undefined {
  const folders = ['../../page/', '../../../dist/server/page/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const built = folders.find((folder) => existsSync(`${folder}/assets`));
  return built === undefined ? undefined : readStaticFiles(built);
}
