import type { InstanceEvent } from '../../cluster/instanceEvents.js';
import { parseJson } from '../../parseJson.js';
import { type Clock, systemClock } from '../../timing/clock.js';
import type { UpdatesEvents, UpdatesSource } from '../watching/updatesSource.js';
import type { LeaderLink } from './leaderLink.js';
import { SteadyStream } from './steadyStream.js';

/** The updates that servers post to the leader, which passes them on. */
export class RemoteUpdates implements UpdatesSource {
  readonly #link: LeaderLink;
  readonly #clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;

  constructor(link: LeaderLink, clock: Pick<Clock, 'setTimeout' | 'clearTimeout'> = systemClock) {
    this.#link = link;
    this.#clock = clock;
  }

  follow({ onAsked, onLost, onUpdate }: UpdatesEvents): () => void {
    const onEvent = ({ name, data }: InstanceEvent) => {
      if (name === 'update') {
        const { room, update } = parseJson(data) as { room: string; update: string };
        onUpdate(room, Buffer.from(update, 'base64'));
      } else if (name === 'lost') {
        onLost();
        onAsked();
      }
    };
    const stream = new SteadyStream({
      link: this.#link,
      path: '/api/instances/updates',
      clock: this.#clock,
      events: { onOpen: onAsked, onEvent, onEnd: onLost },
    });
    return () => stream.close();
  }
}
