import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { Access } from '../../../server/agent/access.js';
import type { Activation } from '../../../server/agent/agentTypes.js';
import { ControlRequests } from '../../../server/agent/controlRequests.js';
import { SafeLog } from '../../../server/agent/safeLog.js';
import { Vitals } from '../../../server/agent/vitals.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const put = (eventsUrl: string) => {
  const body = JSON.stringify({ active: true, eventsUrl });
  return `PUT /api/dashboard HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

test('an activation whose check takes longer does not replace a later one', async () => {
  const applied: string[] = [];
  let allowSlow = () => {};
  const slow = new Promise<undefined>((resolve) => {
    allowSlow = () => resolve(undefined);
  });
  const access = {
    refusalOfHead: () => undefined,
    refusalOf: async () => undefined,
    refusalOfEventsUrl: (_request: unknown, url: string) =>
      url.includes('slow') ? slow : Promise.resolve(undefined),
  } as unknown as Access;
  const documents = { connections: () => [], encodedState: () => undefined };
  const requests = new ControlRequests({
    documents,
    access,
    vitals: new Vitals({ run: 'r', name: 'n', hostKind: undefined }, documents),
    log: new SafeLog({ info: () => undefined, warn: () => undefined }),
    answerMs: 60_000,
    stalledMs: 60_000,
    activation: () => ({ active: false, eventsUrl: '' }),
    activate: ({ eventsUrl }: Activation) => {
      applied.push(eventsUrl);
      if (eventsUrl.includes('fast')) allowSlow();
    },
    watch: () => undefined,
  });
  const server = createServer((request, response) => {
    requests.handle(request, response, false);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  cleanups.push(
    () => socket.destroy(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  // In one write: they arrive in this order.
  socket.write(put('http://slow/') + put('http://fast/'));
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('overtaken')) break;
  }
  expect(text).toContain('409 Conflict');
  expect(applied).toEqual(['http://fast/']);
});
