import type { SimulatedService } from './simulatedService.js';
import { aroundStranger } from './strangers.js';
import type { World } from './world.js';

/**
 * Somebody who shares the address of a server asks in its name what only a starting server asks, and
 * posts under the token that it is given. Nothing is done to the server: its numbers stay right.
 */
export function intrude(world: World): void {
  const { service, intrusions, hosts, isCalm } = world;
  const host = intrusions.pick(hosts.filter(({ isMuted }) => !isMuted));
  if (!host || !service || isCalm) return;
  const { address } = host.plan;
  const port = Number(host.id.split(':').at(-1));
  world.countFault('intrusion');
  const ask = () =>
    service.answerStartup({ address, port, isForwarded: false }, ({ eventsUrl }) => {
      const times = intrusions.between(1, 6);
      for (let i = 0; i < times; i += 1)
        world.later(intrusions.pick([0, 1, 40, 60, 500, 4000]), () => {
          // What arrives in the name of a server whose posts do not would hide that.
          if (!host.isMuted) postAs(world, service, address, eventsUrl);
        });
    });
  aroundStranger(world, service, `a start-up query in the name of ${host.id}`, ask);
}

function postAs(world: World, service: SimulatedService, address: string, eventsUrl: string): void {
  if (service.isStopped || world.isCalm) return;
  const { intrusions, plan } = world;
  const room = intrusions.pick([...plan.rooms, 'fake']) ?? 'fake';
  const body = JSON.stringify({ room, add: intrusions.pick([1, -1, 1000]) });
  const post = () => world.takePost(address, eventsUrl, body);
  aroundStranger(world, service, `a post under a start-up token at ${address}`, post);
}
