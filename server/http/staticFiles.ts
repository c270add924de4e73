import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Context } from 'koa';

/** A file in memory, with its compressed copies from the same folder. */
interface StaticFile {
  readonly plain: Buffer;
  readonly br?: Buffer;
  readonly gzip?: Buffer;
  readonly etag: string;
}

/** Files by their paths below the folder, with `/` as separator. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

/** Reads a folder of few small files into memory, so that answers need no file descriptors. */
export function readStaticFiles(folder: string): StaticFiles {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, '/').length));
  const bytes = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  const plain = [...bytes].filter(([name]) => !/\.(br|gz)$/.test(name));
  return new Map(
    plain.map(([name, file]) => [name.split(sep).join('/'), withCopies(name, file, bytes)]),
  );
}

function withCopies(name: string, plain: Buffer, bytes: ReadonlyMap<string, Buffer>): StaticFile {
  const [br, gzip] = [bytes.get(`${name}.br`), bytes.get(`${name}.gz`)];
  const etag = createHash('sha256').update(plain).digest('base64url');
  return { plain, etag, ...(br && { br }), ...(gzip && { gzip }) };
}

/** Answers with a file, compressed if the client accepts that, or with 304. False: there is no such file. */
export function sendStatic(ctx: Context, files: StaticFiles, name: string): boolean {
  const file = files.get(name);
  if (!file) return false;
  const encoding = (['br', 'gzip'] as const).find(
    (each) => file[each] && ctx.acceptsEncodings(each, 'identity') === each,
  );
  ctx.vary('Accept-Encoding');
  ctx.type = name.slice(name.lastIndexOf('.'));
  ctx.status = 200;
  ctx.etag = encoding ? `${file.etag}-${encoding}` : file.etag;
  if (encoding) ctx.set('Content-Encoding', encoding);
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = (encoding && file[encoding]) ?? file.plain;
  return true;
}
