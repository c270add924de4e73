import { SnapshotReader } from '../../pubsub/snapshotReader.js';
import type { FleetSnapshot } from '../../wire/fleetEvents.js';
import type { Fleet } from './fleet.js';
import type { Step } from './slicedWork.js';
import type { UpstreamEvent } from './upstream.js';

/** Comes after the servers. It cannot be part of a text: quotes in texts are escaped. */
const roomsField = Buffer.from(',"rooms":{');
const noLimits = {
  maxRooms: Number.POSITIVE_INFINITY,
  maxNamesLength: Number.POSITIVE_INFINITY,
};

/** Reads an event `snapshot` in slices: a million rooms would block the event loop. Throws if it is none. */
export class Snapshot {
  readonly #reader: SnapshotReader;
  readonly #head: Pick<FleetSnapshot, 'version' | 'servers'>;
  readonly #id: string;
  #rooms: Fleet['rooms'] | undefined;

  constructor({ id, data }: UpstreamEvent) {
    const at = data.indexOf(roomsField);
    if (at < 0) throw new Error('a snapshot without rooms');
    this.#id = id;
    this.#head = JSON.parse(`${data.toString('utf8', 0, at)}}`);
    const rooms = data.subarray(at + roomsField.length - 1, -1);
    this.#reader = new SnapshotReader(
      Buffer.concat([Buffer.from('['), rooms, Buffer.from(']')]),
      noLimits,
    );
  }

  readonly step: Step = (untilMs) => {
    this.#rooms = this.#reader.readUntil(untilMs);
    return this.#rooms !== undefined;
  };

  /** The fleet, when all is read. */
  fleet(): Fleet {
    const { version, servers } = this.#head;
    return {
      position: { version, id: this.#id },
      rooms: this.#rooms ?? new Map(),
      servers: new Map(servers.map((server) => [server.id, server])),
    };
  }
}
