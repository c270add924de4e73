import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { signedWebhook } from '../../../server/webhooks/signedWebhook.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';

const event: ActivityEvent = {
  id: '1767225600000000-00c0ffee',
  at: '2026-01-01T00:00:00.000Z',
  kind: 'server.gone',
  level: 'info',
  subject: { type: 'server', name: 'a:1' },
  message: 'Pub-sub server a:1 is gone.',
  cause: null,
  instance: 'http://10.0.0.5:8000',
};

const macOf = (key: Buffer | string, text: string) =>
  `v1,${createHmac('sha256', key).update(text).digest('base64')}`;

test('a webhook has the event, and is signed with its id and time', () => {
  const { headers, body } = signedWebhook(event, 'a secret of many letters', 1_767_225_612_345);
  expect(JSON.parse(body)).toEqual({ type: 'server.gone', timestamp: event.at, data: event });
  expect(headers).toEqual({
    'content-type': 'application/json',
    'webhook-id': event.id,
    'webhook-timestamp': '1767225612',
    'webhook-signature': macOf('a secret of many letters', `${event.id}.1767225612.${body}`),
  });
});

test('a secret that begins with whsec_ is base64', () => {
  const key = Buffer.from('0123456789abcdef');
  const { headers, body } = signedWebhook(event, `whsec_${key.toString('base64')}`, 1000);
  expect(headers['webhook-signature']).toBe(macOf(key, `${event.id}.1.${body}`));
});
