import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { ErrorBody } from '../../server/wire/errorBody.js';

/** An answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The error code, if the answer is an error. */
  code: string | undefined;
}

/** Options of `ask`. */
export interface AskOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** The body is never ended. */
  isLeftOpen?: boolean;
}

/** Sends a request on a new connection. Follows no redirect. */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, isLeftOpen = false } = options;
  const outgoing = request(url, { method, headers, agent: false });
  if (isLeftOpen) outgoing.flushHeaders();
  else outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = await readText(incoming);
  const isError = (incoming.statusCode ?? 0) >= 400 && text !== '';
  const { error } = (isError ? JSON.parse(text) : {}) as Partial<ErrorBody>;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text, code: error?.code };
}

/** Posts as a pub-sub server does. Text is sent unchanged. */
export function post(url: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'axios/1.7.9' },
  });
}
