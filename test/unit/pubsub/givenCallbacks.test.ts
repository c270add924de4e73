import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ServerId } from '../../../machines/ports.js';
import { GivenCallbacks } from '../../../server/pubsub/givenCallbacks.js';

const server = '10.0.0.1:8001' as ServerId;
const warning = 40;
let lines: Record<string, unknown>[];
let given: GivenCallbacks;

beforeEach(() => {
  lines = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  given = new GivenCallbacks(pino({ base: null, timestamp: false }, { write }));
});

const fail = (message: string) => () => {
  const urlFor = () => {
    throw new Error(message);
  };
  return given.note(server, urlFor);
};

test('the URL that a server was last given is known', () => {
  expect(given.of(server)).toBeUndefined();
  expect(given.note(server, () => 'http://a')).toBe('http://a');
  given.note(server, () => 'http://b');
  expect(given.of(server)).toBe('http://b');
  expect(lines).toEqual([]);
});

test('why there is none is thrown each time, and logged once', () => {
  for (let i = 0; i < 3; i += 1) expect(fail('why')).toThrow('why');
  expect(lines).toEqual([{ level: warning, server, msg: 'why' }]);
  expect(given.of(server)).toBeUndefined();
});

test('another reason, or the same one after a URL, is logged again', () => {
  expect(fail('why')).toThrow('why');
  expect(fail('other')).toThrow('other');
  given.note(server, () => 'http://a');
  expect(fail('other')).toThrow('other');
  expect(lines.map(({ msg }) => msg)).toEqual(['why', 'other', 'other']);
});
