import { isDeepStrictEqual } from 'node:util';
import type { RoomName } from '../../../machines/ports.js';
import { appendJsonField } from '../../appendJsonField.js';
import type { Position } from '../../fleet/changesHistory.js';
import { countsJson } from '../../fleet/countsJson.js';
import { maxRoomsPerFrame } from '../../fleet/feed.js';
import { goneServer } from '../../fleet/goneServer.js';
import { messageFrame } from '../../sse/frames.js';
import type { ServerView } from '../../wire/serverView.js';
import type { Fleet } from './fleet.js';
import { eachOf, type Step } from './slicedWork.js';

/** If more rooms differ, a snapshot is less work. */
const maxRooms = 50_000;

/** What differs between two fleets. Compares in slices; neither fleet may change meanwhile. */
export class Difference {
  readonly rooms: [room: RoomName, count: number][] = [];
  readonly servers: ServerView[] = [];
  readonly #steps: Step[];

  constructor(before: Fleet, after: Fleet) {
    for (const server of after.servers.values())
      if (!isDeepStrictEqual(before.servers.get(server.id), server)) this.servers.push(server);
    for (const id of before.servers.keys())
      if (!after.servers.has(id)) this.servers.push(goneServer(id));
    this.#steps = [
      eachOf(after.rooms, ([room, count]) => {
        if (before.rooms.get(room) !== count) this.rooms.push([room, count]);
      }),
      eachOf(before.rooms.keys(), (room) => {
        if (!after.rooms.has(room)) this.rooms.push([room, 0]);
      }),
    ];
  }

  readonly step: Step = (untilMs) => {
    while (!this.isTooLarge && this.#steps[0]?.(untilMs)) this.#steps.shift();
    return this.isTooLarge || this.#steps.length === 0;
  };

  get isTooLarge(): boolean {
    return this.rooms.length > maxRooms;
  }

  /**
   * The events of the difference, at least one. Only the last has an id: a viewer that loses its connection
   * before it gets all of them again.
   */
  frames({ version, id }: Position): Buffer[] {
    const messages: [event: string, json: string][] = [];
    if (this.servers.length > 0)
      messages.push(['servers', JSON.stringify({ version, servers: this.servers })]);
    for (let i = 0; i < this.rooms.length || messages.length === 0; i += maxRoomsPerFrame) {
      const rooms = countsJson(this.rooms.slice(i, i + maxRoomsPerFrame));
      messages.push(['changes', appendJsonField(JSON.stringify({ version }), 'rooms', rooms)]);
    }
    const last = messages.length - 1;
    return messages.map(([event, json], i) =>
      messageFrame(json, i === last ? { event, id } : { event }),
    );
  }
}
