import { spawn } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { owns, startFakeDashboard } from '../../system/demo/support.js';

const module = fileURLToPath(new URL('../../../server/demo/demo.ts', import.meta.url));
const startMs = 50_000;

function startDemo(variables: Record<string, string> = {}, flags: string[] = []) {
  const env = { ...process.env, NODE_OPTIONS: '', PORT: '', DEMO_SECONDS: '', ...variables };
  const args = ['--import', import.meta.resolve('tsx'), module, ...flags];
  const child = spawn(process.execPath, args, { env });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const exited = new Promise((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  owns(child, () => {
    child.kill('SIGKILL');
    return exited;
  });
  return { child, exited, output: () => output };
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(false));
    socket.once('error', () => resolve(true));
    socket.once('close', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });
}

/** All ports in the output: the service's and those of its pub-sub servers. */
const portsIn = (output: string) =>
  new Set([...output.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port)));

function expectAllServers(output: string): void {
  expect(output).toMatch(/active, complete: [1-9]\d* connections/);
  expect(portsIn(output).size).toBeGreaterThanOrEqual(4);
}

function untilNothingListens(output: string): Promise<void> {
  return eventually(async () => {
    for (const port of portsIn(output)) expect([port, await isRefused(port)]).toEqual([port, true]);
  });
}

test('the demo shows the running service and ends after its time', async () => {
  // Long enough for a busy machine to show complete counts, before or after a server was killed.
  const demo = startDemo({ DEMO_SECONDS: '25' });
  expect(await demo.exited).toBe(0);
  expectAllServers(demo.output());
  expect(demo.output()).toContain('curl -N http://127.0.0.1:');
  for (const name of ['y-websocket-1', 'y-websocket-2', 'own-1'])
    expect(demo.output()).toMatch(new RegExp(`127\\.0\\.0\\.1:\\d+ +│ ${name} +│ live`));
  expect(demo.output()).not.toContain('differ');
  await untilNothingListens(demo.output());
});

test.each([
  ['SIGINT', 0],
  ['SIGTERM', 0],
  ['SIGKILL', 'SIGKILL'],
] as const)(
  'the demo leaves nothing running after %s',
  async (signal, expected) => {
    const demo = startDemo();
    await eventually(() => expectAllServers(demo.output()), { withinMs: startMs });
    demo.child.kill(signal);
    expect(await demo.exited).toBe(expected);
    await untilNothingListens(demo.output());
  },
  90_000,
);

test('the demo tells why it cannot start, and leaves nothing running', async () => {
  const { url } = await startFakeDashboard();
  const demo = startDemo({ PORT: new URL(url).port });
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toMatch(/The demo failed: the service did not start: .*EADDRINUSE/);
  const wrong = startDemo({ PORT: 'x' });
  expect(await wrong.exited).toBe(1);
  expect(wrong.output()).toContain('PORT is "x"');
});

test('the demo of three instances goes on when their leader is killed, and leaves nothing running', async () => {
  const demo = startDemo({}, ['--instances', '3', '--kill-every', '8']);
  const succession =
    /instance \d leads, [\d.]+ s after instance \d died[\s\S]*active, complete: [1-9]/;
  await eventually(() => expect(demo.output()).toMatch(succession), { withinMs: 120_000 });
  expect(demo.output()).not.toContain('differ');
  demo.child.kill('SIGTERM');
  expect(await demo.exited).toBe(0);
  await untilNothingListens(demo.output());
}, 180_000);
