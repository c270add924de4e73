import { expect, test } from '@jest/globals';
import { appendJsonField, openJsonField } from '../../server/appendJsonField.js';

test.each([
  ['{}', '{"rooms":{"__proto__":1}}'],
  ['{"version":1}', '{"version":1,"rooms":{"__proto__":1}}'],
])('the field of %s comes last', (json, expected) => {
  expect(appendJsonField(json, 'rooms', '{"__proto__":1}')).toBe(expected);
  expect(`${openJsonField(json, 'rooms')}{"__proto__":1}}`).toBe(expected);
});
