import { describe, expect, test } from '@jest/globals';
import type { Epoch, ServerRequest } from '../../../machines/ports.js';
import { type Broadcaster, Broadcasts } from '../../../server/tracing/broadcasts.js';
import { scopes } from '../../../server/tracing/scope.js';
import { fakeTracing } from '../../support/fakeTracing.js';

const epoch = 1 as Epoch;
const activate: ServerRequest = {
  type: 'activity.requested',
  epoch,
  withUpdates: false,
  reason: 'activation',
};
const resync: ServerRequest = { ...activate, reason: 'regular' };
const silence: ServerRequest = { type: 'silence.requested', epoch };
const probe: ServerRequest = { type: 'probe.requested' };

/** A machine in the state that the test says. */
function stage() {
  const { tracing, spans } = fakeTracing();
  let value: unknown = 'inactive';
  let roster: { status: string }[] = [];
  let observer: Parameters<Broadcaster['subscribe']>[0] | undefined;
  const getSnapshot = () => ({ value, context: { roster } });
  const broadcasts = new Broadcasts(tracing, {
    getSnapshot,
    subscribe: (it) => {
      observer = it;
    },
  });
  /** Observers are told later than requests begin. */
  const enter = (entered: unknown) => {
    value = entered;
  };
  const tell = () => observer?.next(getSnapshot());
  const ask = (requests: ReturnType<Broadcasts['requestsOf']>, request: ServerRequest) =>
    requests(request, async () => scopes.getStore());
  const fail = (requests: ReturnType<Broadcasts['requestsOf']>, request: ServerRequest) =>
    requests(request, () => Promise.reject(new Error('refused'))).catch(() => undefined);
  return {
    broadcasts,
    spans,
    enter,
    tell,
    ask,
    fail,
    tracing,
    observer: () => observer,
    setRoster: (...statuses: string[]) => {
      roster = statuses.map((status) => ({ status }));
    },
  };
}

describe('a broadcast', () => {
  test('is one span around the requests to all servers', async () => {
    const { broadcasts, spans, enter, tell, ask, setRoster } = stage();
    const [one, other] = [broadcasts.requestsOf(), broadcasts.requestsOf()];
    enter('activating');
    const scope = await ask(one, activate);
    tell();
    expect(await ask(other, activate)).toMatchObject({ span: spans[0], isKept: true });
    expect(scope?.span).toBe(spans[0]);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ name: 'activate fleet', isOpen: true });
    setRoster('live', 'deaf', 'unreachable');
    enter({ active: 'watched' });
    tell();
    expect(spans[0]).toMatchObject({
      isOpen: false,
      attributes: { 'pubsubdash.servers': 3, 'pubsubdash.servers_answered': 2 },
    });
  });

  test('belongs to the trace of the viewer that caused it, whose request has ended', () => {
    const { spans, enter, tell, tracing } = stage();
    const viewer = tracing.begin('GET /api/events');
    viewer.end();
    enter('activating');
    scopes.run({ span: viewer }, tell);
    expect(spans[1]?.parent).toBe(viewer);
    enter('deactivating');
    scopes.run({ span: viewer }, tell);
    expect(spans[2]).toMatchObject({ name: 'silence fleet', parent: undefined });
  });

  test('that another one replaces has ended, and so has that of a fleet that failed', () => {
    const { spans, enter, tell, observer } = stage();
    enter('activating');
    tell();
    enter('deactivating');
    tell();
    expect(spans.map(({ isOpen }) => isOpen)).toEqual([false, true]);
    observer()?.error();
    expect(spans[1]).toMatchObject({ isOpen: false, error: 'cancelled' });
  });
});

describe('the requests of a server', () => {
  test('that are not of the broadcast have traces of their own', async () => {
    const { broadcasts, enter, ask } = stage();
    const requests = broadcasts.requestsOf();
    enter('activating');
    expect((await ask(requests, resync))?.span).toBeUndefined();
    expect((await ask(requests, probe))?.span).toBeUndefined();
    enter({ active: 'watched' });
    const late = await ask(requests, activate);
    expect(late).toMatchObject({
      span: undefined,
      attributes: { 'pubsubdash.reason': 'activation' },
    });
  });

  test('stay in the trace of the first attempt until one succeeds, and are counted', async () => {
    const { broadcasts, spans, enter, tell, ask, fail } = stage();
    const requests = broadcasts.requestsOf();
    enter('deactivating');
    await fail(requests, silence);
    await fail(requests, silence);
    enter('inactive');
    tell();
    const third = await ask(requests, silence);
    expect(third).toMatchObject({ span: spans[0], attributes: { 'http.request.resend_count': 2 } });
    const fourth = await ask(requests, silence);
    expect(fourth).toMatchObject({ span: undefined, attributes: {} });
    await fail(requests, silence);
    expect((await ask(requests, probe))?.attributes).toEqual({});
  });
});
