import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { shorten } from '../entries.js';
import { expect, Failure, Skip } from '../verdict.js';

const hugeBytes = 1024 * 1024;
const url = 'http://127.0.0.1:9/api/events?bad';
const inputs: readonly string[] = [
  '',
  'active',
  '{"active":true',
  'null',
  'true',
  '7',
  '""',
  '[]',
  '{}',
  '{"active":true}',
  `{"eventsUrl":"${url}"}`,
  `{"active":"true","eventsUrl":"${url}"}`,
  `{"active":1,"eventsUrl":"${url}"}`,
  '{"active":true,"eventsUrl":7}',
  '{"active":true,"eventsUrl":"file:///etc/passwd"}',
  `{"active":true,"eventsUrl":"${url}${'x'.repeat(hugeBytes)}"}`,
];

/** Sent last, and only on request: deployed servers do not survive it. */
export const badInput: Check[] = [
  {
    id: 'bad-input',
    level: 'SHOULD',
    section: 'put-apidashboard',
    expects: 'a body that cannot be used is answered 4xx, and changes nothing',
    needs: ['new-url', 'startup-without-answer'],
    run: refusesBadInput,
  },
];

async function refusesBadInput(bench: Bench): Promise<string> {
  if (!bench.parts.sendsBadInput)
    throw new Skip('it ends servers that do not validate: ask for it with --bad-input');
  const epoch = await bench.activate();
  for (const input of inputs) await refuses(bench, input);
  // A client that vanishes within a body.
  await bench
    .put({ active: true, eventsUrl: url }, () => Promise.reject(new Failure('cut')))
    .catch(() => undefined);
  await bench.barrier(epoch);
  return `${inputs.length} bodies refused; it goes on posting to the URL before`;
}

/** A server may close the connection instead of reading a huge body. */
async function refuses({ server }: Bench, input: string): Promise<void> {
  const isHuge = input.length >= hugeBytes;
  const shown = `the body ${shorten(JSON.stringify(input), 60)}`;
  try {
    const { status } = await server.send({ method: 'PUT', target: '/api/dashboard', body: input });
    expect(status >= 400 && status < 500, `${shown} was answered ${status}`);
  } catch (cause) {
    if (isHuge && /ECONNRESET|EPIPE|socket hang up/.test(String(cause))) return;
    if (/was answered/.test(String(cause))) throw cause;
    throw new Failure(`${shown} was not answered (${(cause as Error).message})`);
  }
}
