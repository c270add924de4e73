import { signatureOf } from '../../signatures.js';
import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { expect, Skip } from '../verdict.js';

const tooOldMs = 6 * 60 * 1_000;

/** Whether a server with a secret refuses what is not signed for it. */
export const signatures: Check[] = [
  {
    id: 'signatures',
    level: 'MUST',
    section: 'signatures',
    expects: 'with a secret, a request without a valid signature is answered 401',
    needs: ['activation'],
    run: refusesUnsigned,
  },
];

async function refusesUnsigned(bench: Bench): Promise<string> {
  const { secret } = bench.parts;
  if (secret === undefined) throw new Skip('no secret was given');
  const { host } = bench.server;
  const body = JSON.stringify({ active: true, eventsUrl: bench.nextUrl().url });
  const right = { method: 'PUT', host, target: '/api/dashboard', body };
  const replayed = signatureOf(secret, right);
  const status = async (signature: string | undefined, sent = body) => {
    const headers = signature === undefined ? {} : { 'Dashboard-Signature': signature };
    return (await bench.server.send({ ...right, body: sent, headers, isSigned: false })).status;
  };
  expect((await status(replayed)) === 200, 'a signed request is refused');
  const cases: [what: string, signature: string | undefined, body?: string][] = [
    ['no signature', undefined],
    ['a signature that was used before', replayed],
    ['a signature of another body', signatureOf(secret, right), `${body} `],
    ['a signature with another secret', signatureOf(`${secret}x`, right)],
    ['an old signature', signatureOf(secret, right, Date.now() - tooOldMs)],
    ['a signature for another host', signatureOf(secret, { ...right, host: 'other.example:1' })],
    ['a signature for another path', signatureOf(secret, { ...right, target: '/health' })],
    ['a text that is no signature', 'v1'],
  ];
  for (const [what, signature, sent] of cases) {
    const seen = await status(signature, sent);
    expect(seen === 401, `${what} was answered ${seen}`);
  }
  return `${cases.length} requests refused`;
}
