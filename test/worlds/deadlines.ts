import type { ServerRequest } from '../../machines/ports.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

const requestIn: Readonly<Record<string, ServerRequest['type'] | undefined>> = {
  silencing: 'silence.requested',
  activating: 'activity.requested',
  probing: 'probe.requested',
};

/** Of sums of times. */
const roundingMs = 0.01;

/** Who waits for an answer has one request open, within its deadline; and nobody else has one. */
export function checkDeadlines(world: World, { context, requests }: SimulatedService): void {
  const { requestTimeoutMs } = world.plan.timing;
  let waiting = 0;
  for (const { server, ref } of context.roster) {
    const { status, value } = ref.getSnapshot();
    const { request } = value;
    const expected =
      status === 'active' && typeof request === 'object' ? requestIn[request.open] : undefined;
    const open = requests.open.get(server);
    if (open) waiting += 1;
    if (open?.type !== expected)
      world.fail('one request at a time', `${server} waits for ${expected}, open: ${open?.type}`);
    if (open && world.nowMs - open.sentAtMs > requestTimeoutMs + roundingMs)
      world.fail('3: nobody waits', `${open.type} to ${server} is over its deadline`);
  }
  if (waiting < requests.open.size)
    world.fail('one request at a time', 'a request is open to a server that is not known');
}
