/** The states that the page can be in: what is started, what is disturbed, and how that is seen. */

import type { Page } from 'playwright-core';
import { connectTo, nth, startReal } from '../../../support/fleet.js';
import { startRedis } from '../../../support/redisServer.js';
import type { ScriptedServer } from '../../../support/scriptedServer.js';
import { noResync, owns, patient, startDouble } from '../../../support/stage.js';
import { startStaged, untilStream } from '../../../system/browser/support/pages.js';
import { edit } from '../../../system/rooms/support/rooms.js';
import { type Gate, startGate } from './gate.js';

/** What a scene has started. */
export interface Stage {
  gate: Gate;
  /** The server and the room of the views of one. */
  server: string;
  room: string;
}

/** One state of the page. */
export interface Scene {
  name: string;
  /** The views that have this state. */
  views: readonly string[];
  start(): Promise<Stage>;
  /** Resolves when the page is in this state. It is called for each view, and the first call may cause it. */
  until(page: Page, stage: Stage): Promise<unknown>;
  /** Disturbs what goes on, once, when all views have been opened. */
  disturb?(stage: Stage): void;
  /** What the console may say. Chromium says each failed request there. */
  allowed?: RegExp;
}

export const allViews = [
  'overview',
  'rooms',
  'room',
  'servers',
  'server',
  'activity',
  'statecharts',
] as const;
const framed = [...allViews, 'palette', 'help'] as const;

const quiet = { ...noResync, ...patient };
const failedRequests = /Failed to load resource/;
const live = (page: Page) => untilStream(page, 'live');

/** Two real servers with people in a room, and one that tells nothing. */
async function startUsual(): Promise<Stage> {
  const redis = owns(await startRedis(), (it) => it.stop());
  const servers = [
    await startReal({ redisUrl: redis.url }),
    await startReal({ redisUrl: redis.url }),
  ];
  const service = await startStaged(servers, { ...quiet, REDIS_URL: redis.url });
  const [one, two] = [nth(servers, 0), nth(servers, 1)];
  const ada = await edit(one, 'workspace-8%2Fdesign-review', 'Ada Lovelace');
  const grace = await edit(two, 'workspace-8%2Fdesign-review', 'Grace Hopper');
  ada.type('Notes of the review. ');
  ada.doc.getMap('settings').set('owner', { name: 'Ada', roles: ['admin', 'editor'] });
  grace.doc.getArray('todo').insert(0, ['ship it', 'tell everybody']);
  for (const [i, room] of [
    'workspace-8%2Froadmap',
    'workspace-9%2Fplan',
    'retro',
    '100%',
  ].entries())
    for (let n = 0; n <= i; n += 1) await connectTo(n % 2 ? one : two, room);
  const stage = {
    gate: await startGate(service),
    server: one.id,
    room: 'workspace-8%2Fdesign-review',
  };
  return stage;
}

/** Doubles with these rooms, in front of a service. */
async function startWith(
  doubles: readonly ScriptedServer[],
  room = 'workspace-8%2Fdesign-review',
  env: Record<string, string> = {},
): Promise<Stage> {
  const service = await startStaged(doubles, { ...quiet, ...env }, { isHurried: true });
  return { gate: await startGate(service), server: doubles[0]?.id ?? '10.0.0.9:1', room };
}

/** A double with rooms that tells of itself as one with an agent. */
async function startTold(name: string, rooms: Record<string, number>, facts: object = {}) {
  const double = await startDouble();
  double.agent = {
    name,
    agent: '0.1.0',
    host: 'hocuspocus 3.4.4',
    uptimeSeconds: 10_800,
    memoryBytes: 83_886_080,
    eventLoopDelayMs: 1.6,
    documents: { inMemory: 1234, idle: 2 },
    stores: { pending: 0, failed: 3 },
    ...facts,
  };
  for (const [room, count] of Object.entries(rooms)) double.rooms.set(room, count);
  return double;
}

const someRooms = { 'workspace-8%2Fdesign-review': 5, 'weekly%20notes': 3, retro: 1 };
const startThree = async () => [
  await startTold('web-1', someRooms),
  await startTold('web-2', someRooms),
  await startDouble(),
];

function fail(double: ScriptedServer): void {
  double.respond({ kind: 'status', status: 500 });
  double.respond({ kind: 'status', status: 500, to: 'health' });
}

const refusal = {
  status: 503,
  type: 'application/json',
  body: JSON.stringify({
    error: { code: 'shutting_down', message: 'The service is shutting down', requestId: 'x' },
  }),
};

const longName = `${'very-long-names-of-workspaces-that-never-end-'.repeat(6)}final-v2`;
const rightToLeft = 'مساحة العمل 8/اجتماع المراجعة 2025 (نهائي)';
const oddNames = [
  rightToLeft,
  'חדר ישיבות 12: תקציב',
  longName,
  '😀👩‍👩‍👧‍👦 retro',
  'a\u202eexe.fdp',
  ' ',
  '<b>bold</b> & "quotes"',
  'Ｆｕｌｌ ｗｉｄｔｈ 会議室',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L',
];

export const scenes: readonly Scene[] = [
  {
    name: 'usual',
    views: framed,
    start: startUsual,
    until: (page) => live(page),
  },
  {
    name: 'told',
    views: ['overview', 'rooms', 'servers', 'server', 'instances'],
    start: async () => startWith(await startThree()),
    until: (page) => live(page),
  },
  {
    name: 'loading',
    views: framed,
    start: async () => {
      const stage = await startWith(await startThree());
      stage.gate.disturb = (path) => (isData(path) ? 'held' : undefined);
      return stage;
    },
    until: (page) => page.locator('main').waitFor(),
  },
  {
    name: 'no-servers',
    views: framed,
    start: () => startWith([]),
    until: (page) => live(page),
  },
  {
    name: 'nobody',
    views: allViews,
    start: async () => startWith([await startDouble(), await startDouble()]),
    until: (page) => live(page),
  },
  {
    name: 'partial',
    views: [...allViews, 'palette'],
    start: async () => {
      const doubles = await startThree();
      fail(nth(doubles, 0));
      return startWith(doubles);
    },
    until: (page) => page.locator('[data-status="incomplete"]').waitFor(),
  },
  {
    name: 'all-down',
    views: allViews,
    start: async () => {
      const doubles = await startThree();
      for (const double of doubles) fail(double);
      return startWith(doubles);
    },
    until: (page) => page.locator('[data-status="allDown"]').waitFor(),
  },
  {
    name: 'failed-later',
    views: allViews,
    start: async () => {
      const doubles = await startThree();
      const stage = await startWith(doubles);
      return { ...stage, fail: () => doubles.slice(0, 2).forEach(fail) };
    },
    disturb: (stage) => (stage as Stage & { fail(): void }).fail(),
    until: (page) => page.locator('[data-status="incomplete"]').waitFor(),
  },
  {
    name: 'stale',
    views: allViews,
    start: startUsual,
    disturb: ({ gate }) => gate.freeze(),
    until: (page) => page.locator('[data-stream="stale"]').waitFor({ timeout: 120_000 }),
  },
  {
    name: 'cut-off',
    views: framed,
    start: startUsual,
    disturb: ({ gate }) => {
      gate.disturb = (path) => (path.startsWith('/api/') ? 'cut' : undefined);
      gate.cut();
    },
    until: (page) => page.locator('[data-stream="reconnecting"]').waitFor(),
    allowed: failedRequests,
  },
  {
    name: 'never-connected',
    views: ['overview', 'room'],
    start: async () => {
      const stage = await startWith([]);
      stage.gate.disturb = (path) => (path.startsWith('/api/') ? 'cut' : undefined);
      return stage;
    },
    until: (page) => page.locator('[data-empty="unreachable"]').waitFor(),
    allowed: failedRequests,
  },
  {
    name: 'refused',
    views: [...allViews, 'instances'],
    start: async () => {
      const stage = await startWith(await startThree());
      stage.gate.disturb = (path) =>
        isData(path) && !path.startsWith('/api/events') ? refusal : undefined;
      return stage;
    },
    until: (page) => live(page),
    allowed: failedRequests,
  },
  {
    name: 'refused-by-proxy',
    views: ['overview'],
    start: async () => {
      const stage = await startWith([]);
      stage.gate.disturb = (path) =>
        path.startsWith('/api/')
          ? { status: 403, type: 'text/html', body: '<h1>No</h1>' }
          : undefined;
      return stage;
    },
    until: (page) => page.locator('[data-empty="unreachable"]').waitFor(),
    allowed: failedRequests,
  },
  {
    name: 'hidden',
    views: ['room'],
    start: async () => startWith(await startThree(), undefined, { SHOW_CONTENT: 'false' }),
    until: (page) => live(page),
  },
  {
    name: 'huge',
    views: [...allViews, 'palette'],
    start: async () => {
      const doubles: ScriptedServer[] = [];
      for (let i = 1; i <= 24; i += 1) {
        const count = 123_456_789 + i;
        const told = await startTold(`collaboration-production-eu-central-1-web-${i}`, {
          'workspace-8%2Fdesign-review': count,
        });
        for (let room = 1; room <= 2000; room += 1)
          told.rooms.set(`workspace-${i % 7}%2Fdoc-${room}`, i);
        doubles.push(told);
      }
      return startWith(doubles);
    },
    until: (page) => page.locator('[data-status="complete"]').waitFor({ timeout: 120_000 }),
  },
  {
    name: 'names',
    views: [...allViews, 'palette'],
    start: async () => {
      const redis = owns(await startRedis(), (it) => it.stop());
      const real = await startReal({ redisUrl: redis.url });
      const rooms = Object.fromEntries(
        oddNames.map((name, i) => [encodeURIComponent(name), i + 1]),
      );
      const doubles = [
        await startTold('خادم الإنتاج ١', rooms, { host: 'خادم 3.4.4' }),
        await startTold(`web-${'x'.repeat(100)}-1`, rooms),
        await startTold('web-\u202e3', rooms),
      ];
      const service = await startStaged(
        [...doubles, real],
        {
          ...quiet,
          REDIS_URL: redis.url,
          TRUSTED_PROXIES: '127.0.0.1',
          PROXY_USER_HEADER: 'X-Forwarded-User',
        },
        { isHurried: true },
      );
      const room = encodeURIComponent(rightToLeft);
      const editor = await edit(real, room, 'שלום עולם (ed.)');
      await edit(real, room, `Maximiliane ${'von und zu '.repeat(20)}Hohenstein`);
      editor.type('مرحبا بالعالم — hello 123 עולם. ');
      editor.doc.getMap('إعدادات 1').set('מפתח', { قيمة: rightToLeft, list: [longName, 7] });
      const gate = await startGate(service);
      gate.headers = { 'X-Forwarded-User': Buffer.from('مدير النظام').toString('latin1') };
      return { gate, server: nth(doubles, 0).id, room };
    },
    until: (page) => live(page),
  },
];

/** Everything but who is signed in. */
const isData = (path: string) => path.startsWith('/api/') && !path.startsWith('/api/session');
