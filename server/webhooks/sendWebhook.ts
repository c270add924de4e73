import { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import got from 'got';
import { isAddress, isPublicAddress, withoutBrackets } from '../addresses.js';
import { causeOf } from '../causeOf.js';
import { privateAddress, publicOnly } from './publicOnly.js';
import { retryAfterMs } from './retryAfter.js';
import type { SignedWebhook } from './signedWebhook.js';
import { WebhookFailure } from './webhookFailure.js';

/** Where webhooks go. */
export interface WebhookTarget {
  url: string;
  /** Whether they may go to private addresses, and to this machine. */
  allowsPrivate: boolean;
  /** Resolves host names. Default: `dns.lookup`. */
  lookup?: typeof systemLookup | undefined;
  signal: AbortSignal;
  /** Longest time until the status of an answer. Default: 10 s. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/**
 * Sends one webhook. Rejects with `WebhookFailure` unless the answer is a success. Follows no redirect: it could lead
 * to a private address.
 */
export async function sendWebhook(
  {
    url,
    allowsPrivate,
    lookup = systemLookup,
    signal,
    timeoutMs = defaultTimeoutMs,
  }: WebhookTarget,
  { headers, body }: SignedWebhook,
): Promise<void> {
  const { hostname } = new URL(url);
  const host = withoutBrackets(hostname);
  if (isAddress(host) && !allowsPrivate && !isPublicAddress(host))
    throw new WebhookFailure(privateAddress);
  const request = got.stream(url, {
    isStream: true,
    method: 'POST',
    headers,
    body,
    signal,
    timeout: { request: timeoutMs },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    dnsLookup: (allowsPrivate ? lookup : publicOnly(lookup)) as never,
  });
  // Without a listener, an error after the answer would end the process.
  request.on('error', () => {});
  try {
    await once(request, 'response');
  } catch (error) {
    // An error of got contains the URL, which may contain a secret.
    throw new WebhookFailure(causeOf(error));
  } finally {
    request.destroy();
  }
  expectSuccess(request.response);
}

function expectSuccess({ statusCode = 0, headers }: Partial<IncomingMessage> = {}): void {
  if (statusCode >= 200 && statusCode <= 299) return;
  const { 'retry-after': retryAfter, date } = headers ?? {};
  throw new WebhookFailure(
    `the receiver answered ${statusCode}`,
    retryAfterMs({ retryAfter, date }, Date.now()),
  );
}
