import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { startOtlpReceiver } from '../../support/otlpReceiver.js';
import { runProcess } from '../../support/serviceProcess.js';
import { owns } from '../../support/stage.js';

/** Fails when an ES module imports OpenTelemetry. */
const withoutPackages = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(\`
    export function resolve(specifier, context, next) {
      if (!specifier.startsWith('@opentelemetry/')) return next(specifier, context);
      throw Object.assign(new Error(specifier), { code: 'ERR_MODULE_NOT_FOUND' });
    }
  \`));
`)}`;
const linesOf = (out: string) =>
  out
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
const traces = 'there are no traces';

test('nothing of OpenTelemetry is loaded unless it is asked for', async () => {
  const { listening, output, child, ended } = runProcess({}, { imports: [withoutPackages] });
  expect((await ask(`${await listening}/api/state`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(output.out).toContain('OTEL_EXPORTER_OTLP_ENDPOINT is unset');
  expect(output.out).not.toContain(traces);
});

test('without its packages the service runs without traces, and says how to get them', async () => {
  const { listening, output } = runProcess(
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
    { imports: [withoutPackages] },
  );
  expect((await ask(`${await listening}/api/state`)).status).toBe(200);
  expect(linesOf(output.out)).toContainEqual(
    expect.objectContaining({ level: 40, msg: expect.stringMatching(`^${traces}.*omit=optional`) }),
  );
});

test('log lines name their trace, and a collector that does not answer is one line', async () => {
  const collector = owns(await startOtlpReceiver(), ({ stop }) => stop());
  collector.answer = 401;
  const { listening, output, child, ended } = runProcess({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-collector',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  });
  const url = await listening;
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const refuse = () => ask(`${url}/api/nothing`, { headers: { traceparent } });
  await refuse();
  await eventually(() => expect(output.out).toContain('traces cannot be sent'));
  await refuse();
  await eventually(() => expect(collector.requests.length).toBeGreaterThan(1));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const lines = linesOf(output.out);
  expect(lines).toContainEqual(
    expect.objectContaining({
      msg: 'request refused',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: expect.stringMatching(/^[\da-f]{16}$/),
    }),
  );
  const warnings = lines.filter(({ msg }) => msg.startsWith('traces'));
  expect(warnings).toEqual([
    expect.objectContaining({
      level: 40,
      cause: 'answered 401',
      collector: new URL(collector.url).host,
    }),
  ]);
  expect(collector.requests[0]?.headers.authorization).toBe('Bearer of-the-collector');
  expect(output.out).not.toContain('of-the-collector');
});
