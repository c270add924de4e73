import { createHmac } from 'node:crypto';
import type { ActivityEvent } from '../wire/activityEvent.js';

/** Prefix of a secret in base64, as in the specification. Other secrets are taken as they are. */
const base64Prefix = 'whsec_';

/** The headers and the body of one attempt. */
export interface SignedWebhook {
  headers: Record<string, string>;
  body: string;
}

/**
 * An event as https://www.standardwebhooks.com/ describes it: `type`, `timestamp`, `data`, and an HMAC-SHA256 over
 * id, time and body. The id is the same in each attempt.
 */
export function signedWebhook(event: ActivityEvent, secret: string, nowMs: number): SignedWebhook {
  const body = JSON.stringify({ type: event.kind, timestamp: event.at, data: event });
  const time = String(Math.floor(nowMs / 1000));
  const mac = createHmac('sha256', keyOf(secret)).update(`${event.id}.${time}.${body}`);
  return {
    headers: {
      'content-type': 'application/json',
      'webhook-id': event.id,
      'webhook-timestamp': time,
      'webhook-signature': `v1,${mac.digest('base64')}`,
    },
    body,
  };
}

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(base64Prefix)) return Buffer.from(secret);
  return Buffer.from(secret.slice(base64Prefix.length), 'base64');
}
