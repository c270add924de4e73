import { expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, truthOfFleet, untilTrue } from '../../support/fleet.js';
import {
  serversOf,
  startStaged,
  stateOf,
  untilServer,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';
import { startTcpRelay } from './support/tcpRelay.js';

const fleet = sharedFleet(2);

test('a network holds up everything between a server and the service: it is shown, delays no other server, and the late messages leave counts exact', async () => {
  const [far, near] = [nth(fleet, 0), nth(fleet, 1)];
  const there = await startTcpRelay(far.port);
  const port = await freePort();
  const back = await startTcpRelay(port);
  const id = `127.0.0.1:${there.port}`;
  const env = { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${back.port}` };
  const service = await startStaged([{ id }, near], env);
  const viewer = await watch(service);
  const leaver = await connectTo(far, 'far');
  await connectTo(far, 'far');
  await connectTo(near, 'near');
  await untilShown(viewer, { far: 2, near: 1 });

  there.freeze();
  // Its last post still arrives, and then the other direction freezes too.
  await leaver.close();
  await untilShown(viewer, { far: 1, near: 1 });
  await untilServer(viewer, id, 'stale');
  back.freeze();
  await connectTo(far, 'far');
  await connectTo(far, 'late');
  await untilServer(viewer, id, 'unreachable');
  await untilShown(viewer, { near: 1 });
  expect((await stateOf(service)).complete).toBe(false);
  const second = await watch(service);
  await untilShown(second, { near: 1 });

  // Everything that was held up arrives: old requests at the server, old deltas at the service.
  there.thaw();
  back.thaw();
  await connectTo(near, 'near');
  for (const each of [viewer, second]) await untilTrue(each, fleet);
  expect(await truthOfFleet(fleet)).toEqual({ far: 2, late: 1, near: 2 });
  await untilServer(viewer, id, 'live');
  await eventually(() => expect(viewer.seen().complete).toBe(true));
  await eventually(async () =>
    expect((await serversOf(service)).map((row) => row.state)).toEqual(['live', 'live']),
  );
});

test('viewers behind a frozen connection delay nobody, and are dropped when it is cut', async () => {
  const server = nth(fleet, 0);
  const service = await startStaged([server]);
  const relay = await startTcpRelay(Number(new URL(service.url).port));
  const behind = { url: `http://127.0.0.1:${relay.port}` };
  const [stays, ...gone] = [await watch(service), await watch(behind), await watch(behind)];
  await connectTo(server, 'r');
  for (const each of [stays, ...gone]) await untilShown(each, { r: 1 });
  relay.freeze();
  await connectTo(server, 'r');
  await untilShown(stays, { r: 2 });
  for (const each of gone) expect(each.rooms()).toEqual({ r: 1 });
  expect((await stateOf(service)).viewers).toBe(3);
  relay.thaw();
  for (const each of gone) await untilShown(each, { r: 2 });
  relay.freeze();
  await Promise.all(gone.map((each) => each.close()));
  relay.cut();
  await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
  await stays.close();
  await untilState(service, 'inactive');
});
