import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withoutDaemons } from './withoutDaemons.js';

const allow = '#!/bin/sh\n# of the machine\nexit 104\n';
let folder: string;
let policy: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
  policy = join(folder, 'policy-rc.d');
});
afterEach(() => rmSync(folder, { recursive: true }));

const answer = () => spawnSync(policy, ['nginx', 'start']).status;

describe('while packages are installed', () => {
  test('no daemon may start, and afterwards there is no policy', () => {
    let during: number | null = null;
    withoutDaemons(() => {
      during = answer();
    }, policy);
    expect(during).toBe(101);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("the machine's own policy is replaced, and restored when the installation throws", () => {
    writeFileSync(policy, allow, { mode: 0o755 });
    let during: number | null = null;
    const install = () => {
      during = answer();
      throw new Error('no network');
    };
    expect(() => withoutDaemons(install, policy)).toThrow('no network');
    expect(during).toBe(101);
    expect(readFileSync(policy, 'utf8')).toBe(allow);
    expect(readdirSync(folder)).toEqual(['policy-rc.d']);
  });

  test("a policy left by a killed process answers as the machine's own, and is cleared next time", () => {
    writeFileSync(policy, allow, { mode: 0o755 });
    let left = '';
    withoutDaemons(() => {
      left = readFileSync(policy, 'utf8');
    }, policy);
    const ended = spawnSync('true').pid;
    writeFileSync(`${policy}.own`, allow, { mode: 0o755 });
    writeFileSync(policy, left.replace(`${process.pid}`, `${ended}`), { mode: 0o755 });
    expect(answer()).toBe(104);
    withoutDaemons(() => expect(answer()).toBe(101), policy);
    expect(readFileSync(policy, 'utf8')).toBe(allow);
  });
});
