import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { ServerFile, serverFileIn } from '../../../server/discovery/serverFile.js';
import { createLog } from '../../../server/log.js';
import { rememberedForMs } from '../../../server/store/store.js';
import { eventually } from '../../support/eventually.js';

const [one, two] = ['10.0.0.1:8001', '[fd00::1]:8001'] as [ServerId, ServerId];
let folder: string;
let path: string;
let lines: string[];
const files: ServerFile[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memory-'));
  path = serverFileIn(join(folder, 'a', 'state'), '::', 8000);
  lines = [];
});

afterEach(async () => {
  for (const file of files.splice(0)) await file.close();
  await rm(folder, { recursive: true });
});

function opened(at = path): ServerFile {
  const log = createLog('info', { write: (line: string) => lines.push(line) });
  const file = new ServerFile(at, log, 20);
  files.push(file);
  return file;
}

const item = (server: ServerId, heardAt = Date.now()) =>
  ({ server, origin: 'remembered', expiresAt: heardAt + rememberedForMs }) as const;
const serversIn = async (file: ServerFile) => (await file.list()).map(({ server }) => server);
const written = async () => JSON.parse(await readFile(path, 'utf8'));
const untilWritten = (...servers: ServerId[]) =>
  eventually(async () => {
    const named = (await written()).servers.map(({ server }: { server: string }) => server);
    expect(named).toEqual(servers);
  });
const warnings = () => lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40);

test('a put server is read by the next process, a removed one is not', async () => {
  const before = opened();
  const heardAt = Date.now() - 5000;
  await before.put(item(one, heardAt));
  await before.put(item(two));
  await before.remove(two);
  await untilWritten(one);
  await before.close();
  const after = opened();
  expect(await after.list()).toEqual([item(one, heardAt)]);
  expect(warnings()).toEqual([]);
});

test('only its owner can read and write it, and no other file is left', async () => {
  await opened().put(item(one));
  await untilWritten(one);
  const modes = await Promise.all(
    [join(folder, 'a'), join(folder, 'a', 'state'), path].map(modeOf),
  );
  expect(modes).toEqual(['700', '700', '600']);
  await eventually(async () =>
    expect(await readdir(join(folder, 'a', 'state'))).toEqual(['servers-__-8000.json']),
  );
});

test.each([
  ['is cut', (text: string) => text.slice(0, -20)],
  ['is empty', () => ''],
  ['is something else', () => '{"servers":{}}'],
  [
    'names no servers',
    () => '{"run":"x","servers":[null,{"server":"evil"},{"server":1,"heardAt":{}}]}',
  ],
])('a file that %s costs what was in it, and no more', async (_name, spoil) => {
  const before = opened();
  await before.put(item(one));
  await untilWritten(one);
  await before.close();
  await writeFile(path, spoil(await readFile(path, 'utf8')));
  const after = opened();
  expect(await after.list()).toEqual([]);
  await after.put(item(two));
  await untilWritten(two);
});

test('a draft that a crash left behind does no harm', async () => {
  await mkdir(join(folder, 'a', 'state'), { recursive: true });
  await writeFile(`${path}.tmp`, 'half');
  await opened().put(item(one));
  await untilWritten(one);
});

test('an unusable folder is logged once, and used when it becomes usable', async () => {
  // A file where a folder should be: root may write to any folder.
  await writeFile(join(folder, 'a'), '');
  const file = opened();
  expect(await file.list()).toEqual([]);
  await file.put(item(one));
  await file.put(item(two));
  await eventually(() => expect(warnings()).not.toEqual([]));
  await file.put(item(two));
  await rm(join(folder, 'a'));
  await untilWritten(one, two);
  await eventually(() => expect(lines.at(-1)).toMatch(/remembered again/));
  expect(warnings()).toHaveLength(1);
  expect(warnings()[0].msg).toMatch(/STATE_DIR/);
});

test('a second process takes over the file, and the first one logs it', async () => {
  const first = opened();
  await first.put(item(one));
  await untilWritten(one);
  const firstRun = (await written()).run;
  const second = opened();
  expect(await serversIn(second)).toEqual([one]);
  await eventually(async () => {
    // The first one may be in the middle of a write, which ends after that of the second one.
    await second.put(item(one));
    await first.put(item(two));
    expect((await written()).run).not.toBe(firstRun);
    expect(warnings()).toHaveLength(1);
  });
  expect(warnings()[0].msg).toMatch(/another process/);
  await second.remove(one);
  await untilWritten();
});

test('it keeps at most as many servers as discovery takes', async () => {
  const file = opened();
  for (let n = 0; n < 5010; n += 1)
    await file.put(item(`10.1.${n >> 8}.${n & 255}:8001` as ServerId));
  const kept = await serversIn(file);
  expect([kept.length, kept[0]]).toEqual([5000, '10.1.0.10:8001']);
});

test('each address that a process listens on has its own file', () => {
  const names = [serverFileIn('/s', '127.0.0.1', 8000), serverFileIn('/s', '10.0.0.1', 8000)];
  expect(names).toEqual(['/s/servers-127.0.0.1-8000.json', '/s/servers-10.0.0.1-8000.json']);
});

async function modeOf(of: string): Promise<string> {
  return ((await stat(of)).mode & 0o777).toString(8);
}
