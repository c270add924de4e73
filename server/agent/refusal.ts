import type { ServerResponse } from 'node:http';

/** Why a request is not served. `message` tells people what to do. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 409 | 500;
  readonly code: string;
  readonly message: string;
  /** Refusals of one kind are logged once. Default: the message. */
  readonly kind?: string;
}

/** Answers with the refusal, and closes the connection. */
export function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const headers = { 'Content-Type': 'application/json', Connection: 'close' };
  response.writeHead(status, headers).end(JSON.stringify({ error: { code, message } }));
}

/** Answers with a line of text. Chunked, because the deployed server sends chunked answers. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text);
}
