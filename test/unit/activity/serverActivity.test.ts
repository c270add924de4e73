import { describe, expect, test } from '@jest/globals';
import { ServerActivity } from '../../../server/activity/serverActivity.js';
import type { NotedEvent } from '../../../server/wire/activityEvent.js';
import type { ServerView } from '../../../server/wire/serverView.js';

const view = (state: string, about: Partial<ServerView> = {}): ServerView => ({
  id: '10.0.0.3:8001',
  state,
  lastHeardAt: null,
  epoch: null,
  rooms: null,
  connections: null,
  overLimit: false,
  lastFailure: null,
  callback: null,
  ...about,
});

/** Notes what servers become, one state after the other, a minute after the fleet began. */
function kindsOf(views: readonly ServerView[], { isConfigured = true, afterMs = 60_000 } = {}) {
  const noted: NotedEvent[] = [];
  let nowMs = 5;
  const activity = new ServerActivity({
    note: (event) => noted.push(event),
    isConfigured: () => isConfigured,
    now: () => nowMs,
  });
  activity.begin();
  nowMs += afterMs;
  for (const each of views) activity.noteServers([each]);
  return { activity, noted, kinds: noted.map(({ kind }) => kind) };
}

describe('the activity of servers', () => {
  test('has nothing of a server that is told to post and to be silent', () => {
    const states = ['unknown', 'silent', 'activating', 'live', 'silencing', 'silent'];
    expect(kindsOf(states.map((state) => view(state))).kinds).toEqual([]);
  });

  test('has one event for each trouble, with its cause, and one when it is over', () => {
    const lastFailure = 'connect ECONNREFUSED';
    const { kinds, noted } = kindsOf([
      view('live'),
      view('stale', { lastFailure }),
      view('stale', { lastFailure }),
      view('unreachable', { lastFailure }),
      view('silent'),
      view('activating'),
      view('live'),
      view('deaf', { callback: 'http://10.0.0.5:8000/api/events' }),
      view('live', { overLimit: true }),
      view('live'),
    ]);
    expect(kinds).toEqual([
      'server.stale',
      'server.unreachable',
      'server.live',
      'server.deaf',
      'server.over_limit',
      'server.live',
    ]);
    expect(noted[0]).toEqual({
      kind: 'server.stale',
      level: 'warning',
      subject: { type: 'server', name: '10.0.0.3:8001' },
      message: 'Pub-sub server 10.0.0.3:8001 does not answer; its last counts are still shown.',
      cause: lastFailure,
    });
    expect(noted.map(({ level }) => level)).toEqual([
      'warning',
      'warning',
      'info',
      'warning',
      'warning',
      'info',
    ]);
    expect(noted[3]?.cause).toContain('http://10.0.0.5:8000/api/events');
  });

  test('has a server that was found, and one that is gone', () => {
    const views = [view('unknown', { name: 'sync-1' }), view('silent'), view('gone')];
    const { noted } = kindsOf(views, { isConfigured: false });
    expect(noted.map(({ kind, message }) => [kind, message])).toEqual([
      ['server.found', 'Pub-sub server sync-1 (10.0.0.3:8001) was found.'],
      [
        'server.gone',
        'Pub-sub server sync-1 (10.0.0.3:8001) is gone: no source names it, and it does not answer.',
      ],
    ]);
  });

  test('has no server as found that is configured, or there from the beginning', () => {
    expect(kindsOf([view('silent')]).kinds).toEqual([]);
    const early = kindsOf([view('silent')], { isConfigured: false, afterMs: 9999 });
    expect(early.kinds).toEqual([]);
    const later = kindsOf([view('silent')], { isConfigured: false, afterMs: 10_000 });
    expect(later.kinds).toEqual(['server.found']);
  });

  test('has no server as found that is gone when it is first seen', () => {
    expect(kindsOf([view('gone')], { isConfigured: false }).kinds).toEqual(['server.gone']);
  });

  test('says what a deaf server was told, if that is known', () => {
    const { noted } = kindsOf([view('deaf')]);
    expect(noted[0]?.cause).toContain('an unknown address');
  });

  test('has a server that was found again after it was gone', () => {
    const views = [view('silent'), view('gone'), view('silent')];
    expect(kindsOf(views, { isConfigured: false }).kinds).toEqual([
      'server.found',
      'server.gone',
      'server.found',
    ]);
  });

  test('has a server that has restarted', () => {
    const { activity, noted } = kindsOf([view('live', { name: 'sync-1' })]);
    activity.noteRestart('10.0.0.3:8001');
    expect(noted).toMatchObject([
      {
        kind: 'server.restarted',
        level: 'info',
        message: 'Pub-sub server sync-1 (10.0.0.3:8001) has restarted.',
      },
    ]);
  });
});
