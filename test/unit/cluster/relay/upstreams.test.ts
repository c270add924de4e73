import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { httpUpstream } from '../../../../server/cluster/relay/httpUpstream.js';
import { localUpstream } from '../../../../server/cluster/relay/localUpstream.js';
import type { UpstreamEvents } from '../../../../server/cluster/relay/upstream.js';
import { eventually } from '../../../support/eventually.js';
import { HandClock } from '../../../support/handClock.js';

/** Notes what an upstream reports, in words. */
class Notes implements UpstreamEvents {
  readonly words: string[] = [];

  onEvent({ name, data }: { name: string; data: Buffer }): void {
    this.words.push(`${name} ${data}`);
  }

  onBeat(term: number): void {
    this.words.push(`beat ${term}`);
  }

  onProgress(): void {
    this.words.push('progress');
  }

  onEnd(cause: string): void {
    this.words.push(`end: ${cause}`);
  }

  take(): string[] {
    return this.words.splice(0);
  }
}

test('the feed of this process beats while the lease is held, unless its reader is behind', () => {
  const clock = new HandClock();
  const notes = new Notes();
  const state = { isHeld: true, isBehind: false, viewers: 0, removed: 0 };
  const upstream = localUpstream(
    {
      term: 7,
      feed: {
        add: (viewer) => {
          viewer.send([Buffer.from('event: a\ndata: 1\n\n'), Buffer.from('event: b\ndata: 2\n\n')]);
        },
        remove: () => {
          state.removed += 1;
        },
        isBehind: () => state.isBehind,
      },
      isHeld: () => state.isHeld,
      viewerConnected: () => {
        state.viewers += 1;
      },
      viewerDisconnected: () => {
        state.viewers -= 1;
      },
    },
    clock,
  );
  const open = upstream.open(notes);
  expect(notes.take()).toEqual(['beat 7', 'a 1', 'b 2']);
  clock.advance(1000);
  expect(notes.take()).toEqual(['beat 7', 'beat 7']);
  state.isBehind = true;
  clock.advance(500);
  expect(notes.take()).toEqual(['progress']);
  Object.assign(state, { isBehind: false, isHeld: false });
  clock.advance(1000);
  expect([notes.take(), state.viewers]).toEqual([[], 1]);
  open.close();
  open.close();
  expect([state.viewers, state.removed, clock.pending]).toEqual([0, 1, 0]);
  upstream.open(notes).close();
  expect([notes.take(), state.viewers]).toEqual([['end: the lease has ended'], 0]);
});

/** An upstream over HTTP whose answer a test writes. */
function startHttp(answer: { status?: number; type?: string; error?: Error } = {}) {
  const { status = 200, type = 'text/event-stream; charset=utf-8', error } = answer;
  const body = new PassThrough();
  const notes = new Notes();
  const asked: unknown[] = [];
  const open = httpUpstream({
    leader: { instance: 'leader', term: 7, url: 'http://leader' },
    requests: {
      open: async (peer, path, options) => {
        asked.push([peer.url + path, options?.headers]);
        if (error) throw error;
        return { status, headers: { 'content-type': type }, body: body as never };
      },
    },
  }).open(notes, '7.1-3');
  return { body, notes, open, asked };
}

test("the leader's stream is read message by message", async () => {
  const { body, notes, asked } = startHttp();
  body.write(': ok\n\nevent: beat\ndata: {"term":7}\n\nevent: changes\nid: 7.1-4\nda');
  await eventually(() => expect(notes.words).toContain('beat 7'));
  body.write('ta: {}\n\nevent: changes\ndata: {');
  await eventually(() => expect(notes.words).toContain('changes {}'));
  body.end();
  await eventually(() => expect(notes.words.at(-1)).toBe('end: the stream has ended'));
  expect(notes.words.filter((word) => word !== 'progress')).toEqual([
    'beat 7',
    'changes {}',
    'end: the stream has ended',
  ]);
  const headers = { Accept: 'text/event-stream', 'Last-Event-ID': '7.1-3' };
  expect(asked).toEqual([['http://leader/api/instances/events', headers]]);
});

test.each([
  [{ status: 503 }, 'answered 503'],
  [{ type: 'text/html' }, 'answered 200'],
  [{ error: new Error('connect ECONNREFUSED') }, 'connect ECONNREFUSED'],
])('what is no stream is told: %j', async (answer, cause) => {
  const { body, notes } = startHttp(answer);
  await eventually(() => expect(notes.take()).toEqual([`end: ${cause}`]));
  expect(body.destroyed).toBe(!('error' in answer));
});

test('a beat that is no JSON ends the stream', async () => {
  const { body, notes } = startHttp();
  body.write('event: beat\ndata: {\n\n');
  await eventually(() => expect(notes.words.at(-1)).toMatch(/^end: .*JSON/));
  expect(body.destroyed).toBe(true);
});

test('nothing is told after it was closed', async () => {
  const { body, notes, open } = startHttp();
  body.write('event: beat\ndata: {"term":7}\n\n');
  await eventually(() => expect(notes.take()).toContain('beat 7'));
  open.close();
  body.end();
  await new Promise((resolve) => body.once('close', resolve));
  await new Promise(setImmediate);
  expect(notes.take()).toEqual([]);
});
