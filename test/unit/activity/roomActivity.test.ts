import { expect, test } from '@jest/globals';
import { divergenceEvent } from '../../../server/activity/roomActivity.js';

const subject = { type: 'room', name: 'notes' };

test('servers that differ are a warning that names them', () => {
  expect(divergenceEvent('notes', ['10.0.0.3:8001', '10.0.0.4:8001'])).toEqual({
    kind: 'room.diverged',
    level: 'warning',
    subject,
    message: 'The servers of this room hold different documents.',
    cause: '10.0.0.3:8001, 10.0.0.4:8001 lacks something that others have, or has something else',
  });
});

test('servers that agree again are no warning', () => {
  expect(divergenceEvent('notes', [])).toEqual({
    kind: 'room.agreed',
    level: 'info',
    subject,
    message: 'The servers of this room hold the same document again.',
    cause: null,
  });
});
