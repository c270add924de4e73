import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { expect, Skip } from '../verdict.js';

/** Whether a server without a secret is careful with whom it serves. */
export const refusals: Check[] = [
  {
    id: 'strangers',
    level: 'SHOULD',
    section: 'what-an-agent-refuses-without-a-secret',
    expects:
      'without a secret, requests of proxies and browsers, and foreign URLs, are answered 403',
    needs: ['new-url'],
    run: refusesStrangers,
  },
];

/** For documentation: nobody has this address. */
const foreignUrl = 'http://192.0.2.1:9/api/events';

async function refusesStrangers(bench: Bench): Promise<string> {
  if (bench.parts.secret !== undefined) throw new Skip('signed requests may come from anywhere');
  const { url } = bench.nextUrl();
  const cases: [what: string, headers: Record<string, string>, eventsUrl: string][] = [
    ['a request that passed a proxy', { 'X-Forwarded-For': '203.0.113.7' }, url],
    ['a request of a browser', { Origin: 'http://page.example' }, url],
    ['a foreign eventsUrl', {}, foreignUrl],
  ];
  const served: string[] = [];
  for (const [what, headers, eventsUrl] of cases) {
    const body = JSON.stringify({ active: true, eventsUrl });
    const request = { method: 'PUT', target: '/api/dashboard', headers, body };
    const { status } = await bench.server.send(request);
    if (status !== 403) served.push(`${what} was answered ${status}`);
  }
  expect(served.length === 0, served.join(', '));
  return `${cases.length} requests refused`;
}
