import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFile(resolve(root, path), 'utf8');

const docs = (await readdir(resolve(root, 'docs'), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const pages = new Map<string, string>();
const atTheRoot = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
for (const path of [...atTheRoot, ...docs.sort()]) pages.set(path, await read(path));
const { scripts, ...manifest } = JSON.parse(await read('package.json'));

const fence = /^```(\w*)\n(.*?)^```$/gms;
const withoutFences = (text: string) => text.replace(fence, '');
const blocksOf = (text: string, language: string) =>
  [...text.matchAll(fence)].filter(([, it]) => it === language).map(([, , code = '']) => code);

/** The anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+)$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('&lt;', '<');
    const slug = shown.toLowerCase().replace(/&gt;|[^\p{L}\p{N} _-]/gu, '');
    const base = slug.replaceAll(' ', '-');
    let anchor = base;
    for (let i = 1; anchors.has(anchor); i += 1) anchor = `${base}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The relative links of a page that lead nowhere; `textOf` gives the text of a page that has anchors. */
function brokenLinks(path: string, text: string, textOf: (path: string) => string | undefined) {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : relative(root, resolve(root, dirname(path), file));
    if (!existsSync(resolve(root, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target) ?? '').has(anchor);
  });
}

/** The paths in backticks that are meant to be in this repository and are not. */
function missingPaths(text: string): string[] {
  const quoted = [...withoutFences(text).matchAll(/`((?:machines|server|test|docs)\/[\w./-]*)`/g)];
  return quoted.map(([, path = '']) => path).filter((path) => !existsSync(resolve(root, path)));
}

const ofNpmItself = new Set(['audit', 'ci', 'install', 'install-scripts', 'pack', 'prune']);

/** The npm commands in a text that would not run: no such script. */
function missingCommands(text: string): string[] {
  return [...text.matchAll(/\bnpm (?:(run) )?([a-z][\w:-]*)/g)]
    .filter(([, run, name = '']) => {
      if (run) return !(name in scripts);
      if (name === 'test' || name === 'start') return !(name in scripts);
      return !ofNpmItself.has(name);
    })
    .map(([command]) => command);
}

/** Code spans and blocks: prose may speak of npm without meaning a command. */
const codeOf = (text: string) =>
  [...text.matchAll(/^```\w*\n.*?^```$|`[^`\n]+`/gms)].map(([code]) => code).join('\n');

describe.each([...pages])('%s', (path, text) => {
  test('has no broken link', () => {
    expect(brokenLinks(path, text, (target) => pages.get(target))).toEqual([]);
  });
  test('names files that exist', () => expect(missingPaths(text)).toEqual([]));
  test('names npm commands that exist', () => expect(missingCommands(codeOf(text))).toEqual([]));
  test('has examples of JSON that are JSON', () => {
    for (const json of blocksOf(text, 'json')) expect(() => JSON.parse(json)).not.toThrow();
    for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm))
      expect(() => JSON.parse(data)).not.toThrow();
  });
});

test('README.md leads to every page of docs/', () => {
  const readme = pages.get('README.md') ?? '';
  const missing = docs.filter(
    (path) => !path.startsWith('docs/decisions/') && !readme.includes(`](${path})`),
  );
  expect(missing).toEqual([]);
});

test('the example of docs/integrate.md keeps the counts of the events in docs/protocol.md', async () => {
  const listeners = new Map<string, (event: { data: string }) => void>();
  class EventSource {
    addEventListener(name: string, listener: (event: { data: string }) => void) {
      listeners.set(name, listener);
    }
  }
  const all = blocksOf(pages.get('docs/integrate.md') ?? '', 'js');
  const code = all.find((block) => block.includes('new EventSource'));
  const log: unknown[] = [];
  const console = { log: (line: unknown) => log.push(line) };
  const script = new Script(`(EventSource, console) => { ${code}; return rooms; }`);
  const rooms = script.runInThisContext()(EventSource, console) as Map<string, number>;
  const protocol = pages.get('docs/protocol.md') ?? '';
  const events = [...protocol.matchAll(/^event: (\w+)\nid: .*\ndata: (.*)$/gm)];
  for (const [, name = '', data = ''] of events) listeners.get(name)?.({ data });
  expect(events.map(([, name]) => name)).toEqual(['snapshot', 'changes', 'servers']);
  expect([...rooms]).toEqual([
    ['design-review', 7],
    ['roadmap/2025', 2],
  ]);
  expect(log).toEqual([[expect.objectContaining({ state: 'stale' })]]);
});

test('docs/decisions/dependencies.md has a line for each dependency, and for no other', () => {
  const page = pages.get('docs/decisions/dependencies.md') ?? '';
  const rows = [...page.matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = '']) =>
    names.split(', ').map((name) => name.replaceAll('`', '')),
  );
  const { dependencies, optionalDependencies, devDependencies } = manifest;
  const all = { ...dependencies, ...optionalDependencies, ...devDependencies };
  expect(rows.sort()).toEqual(Object.keys(all).sort());
});

interface Locked {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** How many installed packages these need beside themselves; what is optional is left out. */
function pulledIn(packages: Record<string, Locked>, names: readonly string[]): number {
  /** As Node looks for it: in the folder of who needs it, and then in those above. */
  const found = (from: string, name: string): string => {
    const path = `${from}${from && '/'}node_modules/${name}`;
    if (path in packages) return path;
    if (from === '') throw new Error(`${name} is not in package-lock.json`);
    return found(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
  };
  const own = names.map((name) => found('', name));
  const all = new Set(own);
  for (const path of all) {
    const { dependencies, optionalDependencies = {}, ...peers } = packages[path] ?? {};
    const { peerDependencies, peerDependenciesMeta = {} } = peers;
    for (const name of Object.keys({ ...dependencies, ...peerDependencies }))
      if (!(name in optionalDependencies) && !peerDependenciesMeta[name]?.optional)
        all.add(found(path, name));
  }
  return all.size - own.length;
}

test('docs/decisions/dependencies.md says how many packages each brings along', async () => {
  const { packages } = JSON.parse(await read('package-lock.json'));
  const page = pages.get('docs/decisions/dependencies.md') ?? '';
  const said = [...page.matchAll(/^\| (`.+?`) \| (\d+) \|/gm)].map(([, names = '', number]) => ({
    names,
    number: Number(number),
  }));
  expect(said.length).toBeGreaterThan(30);
  const counted = said.map(({ names }) => ({
    names,
    number: pulledIn(packages, names.replaceAll('`', '').split(', ')),
  }));
  expect(said).toEqual(counted);
});

describe('what this test looks for', () => {
  const page = '# A b\n## `GET /x` and <y>\n## A b\n';
  const textOf = () => page;

  test('is found: links to no file and to no heading', () => {
    const good = '[a](#a-b) [b](#get-x-and-y) [c](#a-b-1) [d](../README.md) [e](https://x.y/z)';
    expect(brokenLinks('docs/protocol.md', good, textOf)).toEqual([]);
    const bad = ['none.md', '#none', '../README.md#none', '../docs/none/'];
    const links = bad.map((link) => `[x](${link})`).join(' ');
    expect(brokenLinks('docs/protocol.md', links, textOf)).toEqual(bad);
  });

  test('is found: files that are not there', () => {
    expect(missingPaths('`server/main.ts` `docs/` `GET /api/x` `server/none.ts`')).toEqual([
      'server/none.ts',
    ]);
  });

  test('is found: commands that are not there', () => {
    const text = 'npm ci && npm test; npm start; npm run build; npm run none; npm publish';
    expect(missingCommands(text)).toEqual(['npm run none', 'npm publish']);
  });
});
