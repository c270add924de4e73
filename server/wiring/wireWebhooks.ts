import type { Logger } from 'pino';
import type { Activity } from '../activity/activity.js';
import type { Config } from '../config/config.js';
import type { Dependencies } from '../dependencies/dependencies.js';
import { systemClock } from '../timing/clock.js';
import { sendWebhook } from '../webhooks/sendWebhook.js';
import { signedWebhook } from '../webhooks/signedWebhook.js';
import { WebhookQueue } from '../webhooks/webhookQueue.js';

/** What webhooks need from the rest of the instance. */
export interface WebhookWiringNeeds {
  config: Pick<Config, 'webhookUrl' | 'webhookSecret' | 'webhookAllowPrivate'>;
  log: Logger;
  activity: Pick<Activity, 'onEvent'>;
  dependencies: Pick<Dependencies, 'add'>;
}

/** Sends the events that this instance notes as webhooks, if `WEBHOOK_URL` is set. */
export function wireWebhooks({ config, log, activity, dependencies }: WebhookWiringNeeds) {
  const { webhookUrl: url, webhookSecret: secret = '', webhookAllowPrivate } = config;
  if (url === undefined) return { close: () => {} };
  const dependency = dependencies.add('webhook', new URL(url).host);
  const closing = new AbortController();
  const target = { url, allowsPrivate: webhookAllowPrivate, signal: closing.signal };
  const queue = new WebhookQueue({
    deliver: (event) => sendWebhook(target, signedWebhook(event, secret, systemClock.wallMs())),
    onDelivered: () => dependency.answered(),
    onFailed: (cause) => dependency.failed(cause),
    onDropped: ({ id, kind }) =>
      log.warn({ event: id, kind }, 'a webhook was given up: the receiver does not accept it'),
  });
  // Events of other instances are sent by those.
  activity.onEvent((event, isOwn) => {
    if (isOwn) queue.add(event);
  });
  return {
    close: () => {
      queue.close();
      closing.abort();
    },
  };
}
