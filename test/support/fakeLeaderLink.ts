import type { InstanceEvents } from '../../server/cluster/instanceEvents.js';
import type { LeaderLink } from '../../server/rooms/instances/leaderLink.js';

/** A stream that was opened, as the leader would serve it. */
export interface FakeStream extends InstanceEvents {
  readonly path: string;
  isClosed: boolean;
}

/** A leader without a connection: a test answers in its place. */
export class FakeLeaderLink implements LeaderLink {
  readonly streams: FakeStream[] = [];
  readonly asked: string[] = [];
  readonly told: [path: string, body: object][] = [];
  /** Answers by the path without its query; a path that is missing fails. */
  readonly answers = new Map<string, unknown>();

  async ask(path: string): Promise<unknown> {
    this.asked.push(path);
    const [start = ''] = path.split('?');
    if (!this.answers.has(start)) throw new Error('no answer');
    return this.answers.get(start);
  }

  async tell(path: string, body: object): Promise<void> {
    this.told.push([path, body]);
  }

  stream(path: string, events: InstanceEvents): { close(): void } {
    const stream: FakeStream = { path, isClosed: false, ...events };
    this.streams.push(stream);
    const close = () => {
      stream.isClosed = true;
    };
    return { close };
  }

  /** The stream that was opened last. */
  get last(): FakeStream {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error('no stream was opened');
    return stream;
  }
}
