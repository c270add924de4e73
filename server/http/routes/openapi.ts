import { readFile } from 'node:fs/promises';
import type Router from '@koa/router';

/** Seen from this file in the sources, and from its compiled form in `dist`. */
const paths = ['../../../docs/openapi.yaml', '../../../../docs/openapi.yaml'];

/** `GET /openapi.json`: docs/openapi.yaml as JSON, read on the first request. */
export function openapiRoutes(router: Router): void {
  let json: Promise<string> | undefined;
  router.get('/openapi.json', async (ctx) => {
    json ??= readDocument();
    try {
      ctx.body = await json;
    } catch (error) {
      json = undefined;
      throw error;
    }
    ctx.type = 'application/json';
  });
}

async function readDocument(): Promise<string> {
  const [yaml, { parse }] = await Promise.all([readFirst(paths), import('yaml')]);
  return JSON.stringify(parse(yaml));
}

async function readFirst([path = '', ...others]: readonly string[]): Promise<string> {
  try {
    return await readFile(new URL(path, import.meta.url), 'utf8');
  } catch (error) {
    if (others.length === 0) throw error;
    return readFirst(others);
  }
}
