import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

interface Import {
  /** A path from the root for a file of the house, else the name of a package. */
  readonly from: string;
  readonly isType: boolean;
}

interface Source {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

function sourceOf(path: string, text: string): Source {
  const code = text.replace(/^#!.*|\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
  const statement =
    /^(?:import|export)\b(?: (type)\b)?[^'";]*?from '([^']+)'|\bimport\(?\s*'([^']+)'/gm;
  const imports = [...code.matchAll(statement)].map(([whole, type, static_ = '', other = '']) => ({
    from: resolve(path, static_ || other),
    isType: type !== undefined || isOnlyTypes(whole),
  }));
  return { path, code, imports };
}

/** Whether every name in the braces of an import has a `type` of its own. */
function isOnlyTypes(statement: string): boolean {
  const braces = /^(?:import|export) \{([^}]*)\}/.exec(statement);
  const names = braces?.[1]?.split(',').filter((name) => name.trim() !== '');
  return names?.every((name) => name.trim().startsWith('type ')) ?? false;
}

const resolve = (path: string, from: string) =>
  from.startsWith('.') ? join(dirname(path), from).replace(/\.js$/, '.ts') : from;

const sources = ['machines', 'server'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!\.d)\.tsx?$/.test(name))
    .map((name) => join(root, folder, name))
    .map((file) => sourceOf(relative(root, file), readFileSync(file, 'utf8'))),
);

/** Says what is wrong with a file, in words; nothing when all is well. */
type Rule = (source: Source) => string[];

const rule =
  (isAbout: (path: string) => boolean, isAllowed: (entry: Import, path: string) => boolean): Rule =>
  ({ path, imports }) =>
    isAbout(path)
      ? imports.filter((entry) => !isAllowed(entry, path)).map(({ from }) => `${path}: ${from}`)
      : [];

const mentions =
  (isAbout: (path: string) => boolean, word: RegExp): Rule =>
  ({ path, code }) =>
    isAbout(path) ? (code.match(word) ?? []).map((found) => `${path}: ${found}`) : [];

const within = (folder: string) => (path: string) => path.startsWith(folder);
const isOutside = (path: string) =>
  /^server\/(redis\/|cluster\/(redis|connect|scripts|evictionPolicy|lease|election)|store\/(dynamodb|embedded)\/|pubsub\/pubSub|pubsub\/(requestPacer|snapshotReader))/.test(
    path,
  );
const {
  rules,
  violations,
}: { rules: Record<string, Rule>; violations: [string, string, string][] } = {
  rules: {
    'machines import xstate and their neighbours, nothing else': rule(
      within('machines/'),
      ({ from }) => from === 'xstate' || /^machines\/[^/]+$/.test(from),
    ),
    'machines have no clock, no chance, no environment, no console': mentions(
      within('machines/'),
      /\b(Date|performance|Math\.random|process|console|set(Timeout|Interval|Immediate)|fetch)\b/g,
    ),
    'what talks to the outside knows of the machines their ports only': rule(
      isOutside,
      ({ from, isType }) =>
        !from.startsWith('machines/') || (from === 'machines/ports.ts' && isType),
    ),
    'what talks to the outside takes nothing of xstate but fromCallback': mentions(
      isOutside,
      /import (?!(type )?\{ fromCallback \})[^;]*from 'xstate'/g,
    ),
    'routes talk to nothing outside, and know of the machines types only': rule(
      within('server/http/routes/'),
      ({ from, isType }) =>
        !isOutside(from) &&
        !/^server\/store\/(dynamodb|embedded|openStore)/.test(from) &&
        (!from.startsWith('machines/') || isType),
    ),
    'only the app and the wiring know the routes': rule(
      (path) => !/^server\/(http\/routes|wiring)\//.test(path) && path !== 'server/http/app.ts',
      ({ from }) => !from.startsWith('server/http/routes/'),
    ),
    'sending to viewers knows nothing of what is sent': rule(
      within('server/sse/'),
      ({ from }) => !/^(server\/(?!sse\/|timing\/)|machines\/)/.test(from),
    ),
    'timing knows nothing but time': rule(
      within('server/timing/'),
      ({ from }) => !/^(server\/(?!timing\/|boundedMap)|machines\/)/.test(from),
    ),
    'only one file loads OpenTelemetry': rule(
      (path) => path !== 'server/tracing/otlpTracing.ts',
      ({ from, isType }) => isType || !from.startsWith('@opentelemetry/'),
    ),
    'nothing but its loader loads that file': rule(
      (path) => path !== 'server/tracing/loadTracing.ts',
      ({ from }) => from !== 'server/tracing/otlpTracing.ts',
    ),
    'the shapes of answers and events are types alone': rule(
      within('server/wire/'),
      ({ from, isType }) => isType && /^(server\/wire\/|machines\/ports)/.test(from),
    ),
    'only the configuration, main and the name of the agent read the environment': mentions(
      (path) =>
        !/^server\/(config\/config|main|agent\/agentName)\.ts$/.test(path) &&
        !path.startsWith('server/demo/'),
      /\bprocess\.env\b|\benv\b[^;]*from 'node:process'/g,
    ),
    'only the viewer knows koa-sse-stream': rule(
      (path) => path !== 'server/sse/viewer.ts',
      ({ from }) => !from.startsWith('koa-sse-stream'),
    ),
    'the page runs in a browser: of the service it shares what reads shared types': rule(
      (path) => path.startsWith('server/page/') && !path.endsWith('vite.config.ts'),
      ({ from }) =>
        /^server\/(page\/|wire\/|documents\/sharedTypes)|\.(css|svg)$/.test(from) ||
        !/^(node:|server\/|machines\/)/.test(from),
    ),
    'the service does not know its page': rule(
      (path) => !path.startsWith('server/page/'),
      ({ from }) => !from.startsWith('server/page/'),
    ),
    'the agent imports node: and its own folder only': rule(
      within('server/agent/'),
      ({ from }) => from.startsWith('node:') || from.startsWith('server/agent/'),
    ),
    'the service does not know the agent': rule(
      (path) => !/^server\/(agent|demo)\//.test(path),
      ({ from }) => !from.startsWith('server/agent/'),
    ),
    'the service does not know its demo': rule(
      (path) => !path.startsWith('server/demo/'),
      ({ from }) => !from.startsWith('server/demo/'),
    ),
  },
  violations: [
    ['machines import', 'machines/x.ts', "import { readFile } from 'node:fs';"],
    [
      'machines import',
      'machines/x.ts',
      "import type { Config } from '../../server/config/config.js';",
    ],
    ['machines import', 'machines/x.ts', "export { a,\n b } from 'got';"],
    ['machines import', 'machines/x.ts', "const pino = await import('pino');"],
    ['machines have no clock', 'machines/x.ts', 'const at = Date.now();'],
    ['machines have no clock', 'machines/x.ts', 'const x = Math.random(); // spread'],
    [
      'what talks to the outside knows',
      'server/redis/x.ts',
      "import type { Tally } from '../../machines/tally.js';",
    ],
    [
      'what talks to the outside knows',
      'server/store/dynamodb/x.ts',
      "import { p } from '../../../machines/ports.js';",
    ],
    [
      'what talks to the outside takes',
      'server/redis/x.ts',
      "import { fromCallback, setup } from 'xstate';",
    ],
    ['routes talk', 'server/http/routes/x.ts', "import type { P } from '../../redis/r.js';"],
    [
      'routes talk',
      'server/http/routes/x.ts',
      "import type { P } from '../../store/openStore.js';",
    ],
    ['routes talk', 'server/http/routes/x.ts', "import { m } from '../../../machines/roster.js';"],
    ['only the app', 'server/rooms/x.ts', "import type { A } from '../http/routes/rooms.js';"],
    ['only the app', 'server/http/auth/x.ts', "import type { A } from '../routes/rooms.js';"],
    ['sending to viewers', 'server/sse/x.ts', "import type { F } from '../fleet/feed.js';"],
    ['timing knows', 'server/timing/x.ts', "import type { F } from '../fleet/feed.js';"],
    ['only one file loads', 'server/log.ts', "import { trace } from '@opentelemetry/api';"],
    [
      'nothing but its loader',
      'server/service.ts',
      "import { otlpTracing } from './tracing/otlpTracing.js';",
    ],
    ['the shapes', 'server/wire/x.ts', "import { f } from './y.js';"],
    ['only the configuration, main', 'server/http/app.ts', 'const { PORT } = process.env;'],
    ['only the configuration, main', 'server/http/app.ts', "import { env } from 'node:process';"],
    ['only the viewer', 'server/fleet/feed.ts', "import 'koa-sse-stream';"],
    ['the page runs', 'server/page/x.tsx', "import { Tally } from '../../machines/tally.js';"],
    ['the page runs', 'server/page/x.ts', "import { readFile } from 'node:fs';"],
    ['the page runs', 'server/page/a/x.ts', "import type { Feed } from '../../fleet/feed.js';"],
    [
      'the service does not know its page',
      'server/http/app.ts',
      "import { x } from '../page/api.js';",
    ],
    ['the agent imports', 'server/agent/x.ts', "import { encodeStateAsUpdate } from 'yjs';"],
    ['the agent imports', 'server/agent/x.ts', "import { parseUrl } from '../parseUrl.js';"],
    [
      'the service does not know the agent',
      'server/pubsub/x.ts',
      "import type { Agent } from '../agent/createAgent.js';",
    ],
    [
      'the service does not know its demo',
      'server/http/app.ts',
      "import { x } from '../demo/demo.js';",
    ],
  ],
};

/** The first way found from a file over its imports back to itself. */
function cycleIn(files: readonly Source[]): string[] {
  const byPath = new Map(files.map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { from } of byPath.get(path)?.imports ?? []) {
      const cycle = visit(from, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of files) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe('the house', () => {
  test('is read as it is', () => {
    expect(sources.length).toBeGreaterThan(40);
    const wiring = sources.find(({ path }) => path === 'server/wiring/wireInstance.ts');
    expect(wiring?.imports).toContainEqual({
      from: 'machines/instanceMachine.ts',
      isType: false,
    });
    expect(wiring?.imports).toContainEqual({ from: 'server/config/config.ts', isType: true });
  });

  test.each(Object.entries(rules))('%s', (_, check) => {
    expect(sources.flatMap(check)).toEqual([]);
  });

  test.each(violations)('"%s…" is held against %s: %s', (name, path, text) => {
    const [, check] = Object.entries(rules).find(([full]) => full.startsWith(name)) ?? [];
    expect(check?.(sourceOf(path, text))).toHaveLength(1);
  });

  test('does not hold comments and lawful imports against anybody', () => {
    const lawful = [
      "import { type A, b } from './roster.js'; // process.env, Date",
      "import type { C } from './ports.js';",
      '/** Math.random() */',
    ].join('\n');
    const source = sourceOf('machines/x.ts', lawful);
    expect(Object.values(rules).flatMap((check) => check(source))).toEqual([]);
    expect(source.imports).toHaveLength(2);
  });

  test('has no import cycles', () => {
    expect(cycleIn(sources)).toEqual([]);
    const ring = ['a', 'b', 'c'].map((name, i) =>
      sourceOf(`server/${name}.ts`, `import { x } from './${'bca'[i]}.js';`),
    );
    expect(cycleIn(ring)).toHaveLength(4);
  });
});
