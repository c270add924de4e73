/** Faults of the process itself: output that is full, stuck or closed, signals, defects, an unknown user. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import { runProcess } from '../../support/serviceProcess.js';
import { owns } from '../../support/stage.js';

const harness = useHarness();
const module = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

/** Has the service log this many lines of some 400 characters. */
async function haveLogged(url: string, lines: number): Promise<void> {
  const agent = owns(new Agent({ keepAlive: true, maxSockets: 20 }), (it) => it.destroy());
  const path = `/${'x'.repeat(250)}`;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      request(`${url}${path}`, { agent }, (answer) => {
        answer.resume().once('end', resolve);
      })
        .once('error', reject)
        .end();
    });
  for (let left = lines; left > 0; left -= 200)
    await Promise.all(Array.from({ length: Math.min(left, 200) }, one));
}

const isWell = async (url: string) => expect((await ask(`${url}/health`)).status).toBe(200);

describe('with standard output and standard error on a full file system', () => {
  /** A file where every write fails with ENOSPC. */
  function fullDisk(): number {
    return owns(openSync('/dev/full', 'w'), closeSync);
  }

  test('the service starts, answers, and stops at SIGTERM', async () => {
    const service = runProcess({ LOG_LEVEL: 'trace' }, { output: fullDisk() });
    const url = await service.listening;
    await haveLogged(url, 6000);
    await isWell(url);
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });

  test('a failed start exits with 1', async () => {
    expect(await runProcess({ PORT: 'x' }, { output: fullDisk() }).ended).toBe(1);
    expect(
      await runProcess({ HOST: '192.0.2.1', AUTH: 'none' }, { output: fullDisk() }).ended,
    ).toBe(1);
  });
});

describe('with nobody who reads its output', () => {
  test('the service answers, and stops at SIGTERM', async () => {
    const service = runProcess({}, { output: 'kept' });
    const url = await service.listening;
    await haveLogged(url, 6000);
    await isWell(url);
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });

  test('it logs how many lines were lost when its output is read again', async () => {
    const service = runProcess({}, { output: 'kept' });
    const url = await service.listening;
    const requests = 6000;
    await haveLogged(url, requests);
    service.read();
    const logged = () =>
      service.output.out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    const told = () =>
      logged().filter(({ msg }) => msg === 'lines of the log could not be written');
    await eventually(() =>
      expect(told()[0]).toMatchObject({ level: 50, lines: expect.any(Number) }),
    );
    const refused = () => logged().filter(({ msg }) => msg === 'request refused').length;
    const lost = () => told().reduce((sum, { lines }) => sum + lines, 0);
    await eventually(() => expect(refused() + lost()).toBe(requests));
    expect(refused()).toBeGreaterThan(100);
    await haveLogged(url, 1);
    await eventually(() => expect(refused() + lost()).toBe(requests + 1));
  });

  test('its reader has closed the pipe: the service answers, and stops at SIGTERM', async () => {
    const service = runProcess({}, { output: 'kept' });
    const url = await service.listening;
    service.child.stdout?.destroy();
    service.child.stderr?.destroy();
    await haveLogged(url, 500);
    await isWell(url);
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });
});

describe('a signal', () => {
  test('while the service is loaded ends it', async () => {
    const hooks = module(`
      import { writeSync } from 'node:fs';
      export async function load(url, context, next) {
        if (!url.endsWith('/server/service.js')) return next(url, context);
        writeSync(2, 'loading');
        return new Promise((resolve) => setTimeout(resolve, 120_000));
      }`);
    const slow = module(
      `import { register } from 'node:module'; register(${JSON.stringify(hooks)});`,
    );
    const service = runProcess({}, { imports: [slow] });
    await eventually(() => expect(service.output.err).toContain('loading'));
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(service.output.out).toBe('');
  });
});

test('a system call that never returns does not keep the process from ending', async () => {
  const folder = owns(mkdtempSync(join(tmpdir(), 'stuck-')), (it) =>
    rmSync(it, { recursive: true }),
  );
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Opening it blocks until another process writes. A DNS lookup may block as long.
  const stuck = module(`
    import { readFile } from 'node:fs';
    readFile(${JSON.stringify(fifo)}, () => {});`);
  const service = runProcess({}, { imports: [stuck] });
  await isWell(await service.listening);
  service.child.kill('SIGTERM');
  await service.ended;
  expect(service.child.signalCode).toBe('SIGKILL');
  expect(service.output.out).toContain('"stopping"');
});

describe('a defect outside of every request', () => {
  const defect = module(`process.on('SIGUSR2', () => { throw new Error('a defect'); });`);

  test('is logged, and viewers are told when to reconnect', async () => {
    const service = runProcess({}, { imports: [defect] });
    const url = await service.listening;
    const viewer = harness.socket({ url });
    viewer.send('GET /api/events HTTP/1.0\r\nHost: localhost\r\n\r\n');
    await eventually(() => expect(viewer.text()).toContain('data: {}'));
    service.child.kill('SIGUSR2');
    expect(await service.ended).toBe(1);
    await viewer.closed;
    expect(viewer.text()).toMatch(/\n\nretry: \d{4,5}\n\n$/);
    expect(JSON.parse(service.output.out.trim().split('\n').at(-1) ?? '')).toMatchObject({
      level: 60,
      msg: 'a defect ended the service',
      err: { message: 'a defect', stack: expect.stringContaining('Error: a defect') },
    });
  });

  test('ends the process even if nothing can be logged', async () => {
    const full = owns(openSync('/dev/full', 'w'), closeSync);
    const service = runProcess({}, { imports: [defect], output: full });
    await service.listening;
    service.child.kill('SIGUSR2');
    expect(await service.ended).toBe(1);
  });
});

test('output of libraries and threads neither ends the process nor blocks it', async () => {
  const prints = module(`
    import { Worker } from 'node:worker_threads';
    process.on('SIGUSR2', () => {
      console.log('printed'); console.error('printed'); process.emitWarning('printed');
      new Worker("console.log('by a thread'); console.error('by a thread')", { eval: true });
      process.send('printed');
    });`);
  const full = owns(openSync('/dev/full', 'w'), closeSync);
  const service = runProcess({}, { imports: [prints], output: full });
  const url = await service.listening;
  const printed = new Promise((resolve) => service.child.once('message', resolve));
  service.child.kill('SIGUSR2');
  await printed;
  for (let i = 0; i < 20; i += 1) await isWell(url);
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(0);
});

test('the service of an unknown user without a home has a store', async () => {
  const unknownUid = 54_321;
  const noHome = module(`
    import os from 'node:os';
    import { syncBuiltinESMExports } from 'node:module';
    os.homedir = () => { throw new Error('no such user'); };
    syncBuiltinESMExports();`);
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: unknownUid, gid: unknownUid } : { imports: [noHome] };
  const service = runProcess({ TMPDIR: tmpdir() }, user);
  const url = await service.listening;
  await eventually(async () =>
    expect(await ask(`${url}/api/rooms`)).toMatchObject({ status: 200, text: '[]' }),
  );
  service.child.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(service.output.err).toBe('');
});
