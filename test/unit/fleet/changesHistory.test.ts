import { expect, test } from '@jest/globals';
import { ChangesHistory } from '../../../server/fleet/changesHistory.js';

const frame = (version: number) => Buffer.from(`frame ${version}`);

/** A history with the frames of the versions 1 to 12. */
function filled(): ChangesHistory {
  const history = new ChangesHistory('run');
  for (let version = 1; version <= 12; version += 1) {
    history.advance();
    history.push(frame(version));
  }
  return history;
}

test('a viewer resumes after any version, also of several digits', () => {
  const history = filled();
  expect(history.since(history.idOf(10))).toEqual([frame(11), frame(12)]);
  expect(history.since(history.idOf(12))).toEqual([]);
});

test('ids of an earlier process or activation, and those that are no ids, are unknown', () => {
  const history = filled();
  const id = history.idOf(10);
  for (const unknown of [undefined, '', 'other.1-10', `${id}x`, `x${id}`, id.replace('10', '-10')])
    expect(history.since(unknown)).toBeUndefined();
  history.startActivation();
  expect(history.since(id)).toBeUndefined();
  expect(history.idOf(10)).not.toBe(id);
});

test('nobody resumes across a snapshot', () => {
  const history = filled();
  history.advanceToSnapshot();
  expect(history.version).toBe(13);
  expect(history.since(history.idOf(12))).toBeUndefined();
  expect(history.since(history.idOf(13))).toEqual([]);
});
