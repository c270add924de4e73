import { describe, expect, test } from '@jest/globals';
import { notedExporter } from '../../../server/tracing/notedExporter.js';

type Exporter = Parameters<typeof notedExporter>[0];
type Result = Parameters<Parameters<Exporter['export']>[1]>[0];

function stage() {
  const told: unknown[][] = [];
  let result: Result = { code: 0 };
  const exporter = notedExporter(
    { export: (_spans, done) => done(result), shutdown: async () => void told.push(['shutdown']) },
    {
      warn: (...line: unknown[]) => void told.push(['warn', ...line]),
      info: (...line: unknown[]) => void told.push(['info', ...line]),
    } as never,
    'collector:4318',
  );
  const send = (spans: number, answer: Result) => {
    result = answer;
    let given: Result | undefined;
    exporter.export(new Array(spans).fill({}), (it) => {
      given = it;
    });
    expect(given).toBe(answer);
    return told.splice(0);
  };
  return { send, exporter, told };
}

const failed = (message: string, code?: number | string) => ({
  code: 1,
  error: Object.assign(new Error(message), { code }),
});

describe('a collector that takes no spans', () => {
  test('is logged once, with the cause, and when it is over', () => {
    const { send } = stage();
    expect(send(1, { code: 0 })).toEqual([]);
    const refused = failed('connect ECONNREFUSED 127.0.0.1:4318', 'ECONNREFUSED');
    expect(send(2, refused)).toEqual([
      [
        'warn',
        { collector: 'collector:4318', cause: 'connection refused' },
        'traces cannot be sent and are lost',
      ],
    ]);
    expect(send(3, refused)).toEqual([]);
    expect(send(1, { code: 0 })).toEqual([
      ['info', { collector: 'collector:4318', lost: 5 }, 'traces are sent again'],
    ]);
    expect(send(1, refused)).toHaveLength(1);
  });

  test.each([
    [failed('Unauthorized', 401), 'answered 401'],
    [failed('Request timed out'), 'Request timed out'],
    [{ code: 1 }, 'no answer in time'],
  ])('is logged with a cause: %j', (result, cause) => {
    expect(stage().send(1, result)).toEqual([
      ['warn', expect.objectContaining({ cause }), expect.any(String)],
    ]);
  });
});

test('closing it closes the exporter', async () => {
  const { exporter, told } = stage();
  await exporter.forceFlush?.();
  await exporter.shutdown();
  expect(told).toEqual([['shutdown']]);
});
