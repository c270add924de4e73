import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { deployFile } from './support/files.js';
import { run } from './support/run.js';

const folder = await mkdtemp(join(tmpdir(), 'systemd-'));
afterAll(() => rm(folder, { recursive: true }));
const unit = await deployFile('pubsub-dashboard.service');

/** The unit with a command that this machine has. */
async function unitFile(text = unit): Promise<string> {
  const file = join(folder, 'pubsub-dashboard.service');
  const command = join(folder, 'pubsub-dashboard');
  await writeFile(command, '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(file, text.replace(/^ExecStart=.*$/m, `ExecStart=${command}`));
  return file;
}

test('systemd takes the unit without a warning', async () => {
  const verify = (file: string) => run('systemd-analyze', ['verify', '--man=no', file]);
  expect(await verify(await unitFile())).toEqual({ code: 0, text: '' });
  const misspelt = await unitFile(unit.replace('DynamicUser=', 'DynamicUsr='));
  expect((await verify(misspelt)).text).toContain('DynamicUsr');
});

test('the unit is confined: systemd rates its exposure as OK', async () => {
  const args = ['security', '--offline=true', '--threshold=20', await unitFile()];
  const { code, text } = await run('systemd-analyze', args);
  expect([code, /exposure level .*: (\S+) /.exec(text)?.[1]]).toEqual([
    0,
    expect.stringMatching(/^1\./),
  ]);
});

test('systemd waits longer than the service needs to end, and keeps what it remembers', () => {
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  expect(Number(seconds)).toBeGreaterThan(10);
  expect(unit).toMatch(/^StateDirectory=pubsub-dashboard$/m);
});

test('the command of the unit is the one that the package installs', async () => {
  const [, command] = /^ExecStart=(\S+)$/m.exec(unit) ?? [];
  const [, prefix] = /npm install --prefix (\S+) pubsub-dashboard/.exec(unit) ?? [];
  expect(command).toBe(`${prefix}/node_modules/.bin/pubsub-dashboard`);
});
