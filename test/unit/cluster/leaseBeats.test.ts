import { expect, test } from '@jest/globals';
import type { Answered, Beat, BeatResult } from '../../../server/cluster/clusterStore.js';
import { LeaseBeats } from '../../../server/cluster/leaseBeats.js';
import { HandClock } from '../../support/handClock.js';
import { infoOf } from '../../support/infoOf.js';

const resultOf = (inboxLength: number): BeatResult => ({
  isRenewed: false,
  highestTerm: 0,
  lease: {
    term: 0,
    instance: undefined,
    isLost: true,
    url: '',
    protocol: 0,
    renewals: 1,
    isActive: false,
  },
  instances: [],
  inboxLength,
});

/** Beats that the test answers itself. */
function start({ term }: { term?: number } = {}) {
  const clock = new HandClock();
  const sent: { beat: Beat; done: Answered<BeatResult> }[] = [];
  const [answers, news, failures]: [number[], number[], string[]] = [[], [], []];
  const beats = new LeaseBeats({
    store: { beat: (beat, done) => sent.push({ beat, done }) },
    clock,
    beatMs: 1000,
    tell: () => ({
      info: infoOf('a'),
      isCandidate: true,
      highestTerm: 0,
      lease: term === undefined ? undefined : { term, isActive: false },
    }),
    onTime: () => {},
    onAnswer: ({ inboxLength }) => answers.push(inboxLength),
    onNews: ({ inboxLength }) => news.push(inboxLength),
    onFailure: ({ message }) => failures.push(message),
  });
  beats.start();
  return { beats, clock, sent, answers, news, failures };
}

test('beats are numbered, one each beat time', () => {
  const { clock, sent } = start();
  clock.advance(3500);
  expect(sent.map(({ beat }) => beat.beats)).toEqual([1, 2, 3, 4]);
});

test('an answer that a later one has overtaken is no news', () => {
  const { beats, sent, answers, news } = start();
  beats.send();
  sent[1]?.done(undefined, resultOf(2));
  sent[0]?.done(undefined, resultOf(1));
  expect(answers).toEqual([2, 1]);
  expect(news).toEqual([2]);
});

test('a renewal that is not answered for half a beat time is repeated, until one is', () => {
  const { clock, sent } = start({ term: 7 });
  clock.advance(600);
  expect(sent).toHaveLength(2);
  sent[1]?.done(undefined, resultOf(0));
  clock.advance(300);
  expect(sent).toHaveLength(2);
});

test('a follower repeats nothing', () => {
  const { clock, sent, failures, beats } = start();
  sent[0]?.done(new Error('away'));
  clock.advance(900);
  expect(sent).toHaveLength(1);
  expect(failures).toEqual(['away']);
  expect(beats.silence).toEqual({ failures: 1, ms: 900 });
});

test('those who wait share the newest renewal under way', () => {
  const { beats, sent } = start({ term: 7 });
  const told: (number | undefined)[] = [];
  const note = (result: BeatResult | undefined) => told.push(result?.inboxLength);
  beats.share(note);
  beats.share(note);
  expect(sent).toHaveLength(1);
  sent[0]?.done(undefined, resultOf(1));
  expect(told).toEqual([1, 1]);
  beats.share(note);
  expect(sent).toHaveLength(2);
  sent[1]?.done(new Error('away'));
  expect(told).toEqual([1, 1, undefined]);
});

test('how long the event loop has stood still is how long a beat has been due', () => {
  const { beats, clock } = start();
  clock.monotonicOffsetMs += 5000;
  expect(beats.overdueMs).toBe(4000);
  clock.advance(1000);
  expect(beats.overdueMs).toBe(0);
});

test('in a hurry, one is sent now and another a moment later, however often that is asked', () => {
  const { beats, clock, sent } = start();
  clock.advance(500);
  for (let i = 0; i < 10; i += 1) beats.hurry();
  expect(sent).toHaveLength(2);
  clock.advance(100);
  expect(sent).toHaveLength(3);
  clock.advance(300);
  expect(sent).toHaveLength(3);
});

test('nothing is sent after the end', () => {
  const { beats, clock, sent } = start({ term: 7 });
  beats.sendIn(100);
  beats.stop();
  let ended = 0;
  beats.send(() => {
    ended += 1;
  });
  clock.advance(5000);
  expect(sent).toHaveLength(1);
  expect(ended).toBe(1);
});

test('no timer is started after the end', () => {
  const { beats, clock } = start({ term: 7 });
  beats.stop();
  beats.hurry();
  beats.sendIn(100);
  expect(clock.pending).toBe(0);
});
