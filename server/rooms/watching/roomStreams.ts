import type { Kind } from '../../documents/sharedTypes.js';
import { Channel } from '../../sse/channel.js';
import { messageFrame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import { Pace } from '../../timing/pace.js';
import type { AwarenessView } from './awarenessStreams.js';
import type { DocumentJson, WholeState } from './roomContent.js';
import { frameOf, updateParts } from './updateFrames.js';

/** How a viewer wants the document: as JSON, or as updates that it merges by itself; and who is there. */
export type RoomView = (
  | { as: 'state'; types: Readonly<Record<string, Kind>> }
  | { as: 'updates' }
) & { awareness?: AwarenessView };

/** What the streams of a room are made of. */
export interface RoomStreamsNeeds {
  frameIntervalMs: number;
  /** The document as JSON; undefined: there is none to show yet. */
  makeJson: (types: Readonly<Record<string, Kind>>) => Promise<DocumentJson | undefined>;
  /** The whole document as updates; empty: nothing is merged yet; undefined: there is none now. */
  makeUpdates: () => Promise<readonly WholeState[] | undefined>;
  /** What every viewer is told beside the document: data by event. */
  status: () => Record<string, object>;
}

interface JsonStream {
  channel: Channel;
  pace: Pace;
  state: Buffer[] | undefined;
  /** What newcomers are sent, as it was made last, while nothing has changed and somebody still reads it. */
  whole: WeakRef<Buffer[]> | undefined;
  /** One at a time is made: a large document takes longer than a frame interval. */
  isMaking: boolean;
  isStale: boolean;
}

/** What the stream of a room's JSON may cost a viewer. */
const maxBytesPerMs = 1000;
/** Ways to read root types that are kept up to date at a time. */
const maxJsonStreams = 16;

/** The viewers of one room, and the frames that they get: each is encoded once for all. */
export class RoomStreams {
  readonly #needs: RoomStreamsNeeds;
  readonly #updates = new Channel(() => this.#sharedWhole());
  /** The whole document while it is made: whoever asks meanwhile gets the same. */
  #making: Promise<Buffer[] | undefined> | undefined;
  /** The whole document as it was sent last, while nothing has changed and somebody still reads it. */
  #whole: WeakRef<Buffer[]> | undefined;
  /** By the root types that their viewers named. */
  readonly #json = new Map<string, JsonStream>();

  constructor(needs: RoomStreamsNeeds) {
    this.#needs = needs;
  }

  /** Whether the document can be shown so: if not, a viewer has to come back later. */
  hasPlaceFor(view: RoomView): boolean {
    if (view.as === 'updates') return true;
    return this.#json.size < maxJsonStreams || this.#json.has(keyOf(view.types));
  }

  add(viewer: Viewer, view: RoomView): void {
    if (view.as === 'updates') this.#updates.addBehind(viewer);
    else this.#jsonStream(view.types).channel.addBehind(viewer);
  }

  remove(viewer: Viewer): void {
    this.#updates.remove(viewer);
    for (const [key, { channel, pace }] of this.#json) {
      channel.remove(viewer);
      if (channel.size > 0) continue;
      pace.close();
      this.#json.delete(key);
    }
  }

  get size(): number {
    let size = this.#updates.size;
    for (const { channel } of this.#json.values()) size += channel.size;
    return size;
  }

  /** The document changed: its JSON is made anew, at most once in a frame interval. */
  touch(): void {
    for (const { pace } of this.#json.values()) pace.touch();
  }

  /** There is no JSON any longer. */
  forgetJson(): void {
    for (const stream of this.#json.values()) {
      stream.state = undefined;
      stream.whole = undefined;
    }
  }

  /** Tells all viewers something beside the document. */
  tell(event: string, data: object): void {
    this.#whole = undefined;
    const frame = messageFrame(JSON.stringify(data), { event });
    this.#updates.broadcast(frame);
    for (const stream of this.#json.values()) {
      stream.whole = undefined;
      stream.channel.broadcast(frame);
    }
  }

  /** Passes an update on, with its entry in the log. */
  tellUpdate(entry: object, update: Uint8Array): void {
    this.#whole = undefined;
    const json = JSON.stringify(entry);
    const frame = messageFrame(json, { event: 'update' });
    for (const { channel } of this.#json.values()) channel.broadcast(frame);
    if (this.#updates.size === 0) return;
    this.#updates.broadcast(frameOf(updateParts('update', json, { raw: update })));
  }

  /** The document has more than the updates that were passed on: whoever merges gets all of it. */
  async retellUpdates(): Promise<void> {
    this.#whole = undefined;
    // One that is being made may be of before: whoever waits for it gets it, and this one after it.
    this.#making = undefined;
    if (this.#updates.size === 0) return;
    const whole = await this.#sharedWhole();
    if (whole) this.#updates.broadcast(whole);
    this.#updates.catchUp();
  }

  /** Brings viewers up to date that have drained without a word. */
  catchUp(): void {
    this.#updates.catchUp();
    for (const { channel } of this.#json.values()) channel.catchUp();
  }

  *viewers(): Generator<Viewer> {
    yield* this.#updates;
    for (const { channel } of this.#json.values()) yield* channel;
  }

  close(): void {
    for (const { pace } of this.#json.values()) pace.close();
    for (const viewer of this.viewers()) viewer.end();
  }

  #jsonStream(types: Readonly<Record<string, Kind>>): JsonStream {
    const key = keyOf(types);
    const known = this.#json.get(key);
    if (known) return known;
    const stream: JsonStream = {
      channel: new Channel(() => this.#wholeJson(stream)),
      pace: new Pace(
        () => void this.#makeJson(stream, types),
        () => Math.max(this.#needs.frameIntervalMs, lengthOf(stream.state) / maxBytesPerMs),
      ),
      state: undefined,
      whole: undefined,
      isMaking: false,
      isStale: false,
    };
    this.#json.set(key, stream);
    stream.pace.touch();
    return stream;
  }

  async #makeJson(stream: JsonStream, types: Readonly<Record<string, Kind>>): Promise<void> {
    stream.isStale = stream.isMaking;
    if (stream.isMaking) return;
    stream.isMaking = true;
    const made = await this.#needs.makeJson(types);
    stream.isMaking = false;
    if (stream.channel.size === 0) return;
    if (stream.isStale) stream.pace.touch();
    if (!made) return;
    stream.state = stateFrame(made);
    stream.whole = undefined;
    stream.channel.broadcast(stream.state);
  }

  #wholeJson(stream: JsonStream): Buffer[] {
    const known = stream.whole?.deref();
    if (known) return known;
    const frames = this.#statusFrames();
    const whole = stream.state ? [...frames, ...stream.state] : frames;
    stream.whole = new WeakRef(whole);
    return whole;
  }

  #sharedWhole(): Buffer[] | Promise<Buffer[] | undefined> {
    const whole = this.#whole?.deref();
    if (whole) return whole;
    if (this.#making) return this.#making;
    const making = this.#wholeUpdates().finally(() => {
      if (this.#making === making) this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  async #wholeUpdates(): Promise<Buffer[] | undefined> {
    const states = await this.#needs.makeUpdates();
    if (!states) return undefined;
    const parts = states.flatMap(({ update, ...head }) =>
      updateParts('state', JSON.stringify(head), update),
    );
    const whole = frameOf([...parts, ...this.#statusFrames().map(String)]);
    this.#whole = new WeakRef(whole);
    return whole;
  }

  #statusFrames(): Buffer[] {
    const events = Object.entries(this.#needs.status());
    return events.map(([event, data]) => messageFrame(JSON.stringify(data), { event }));
  }
}

const keyOf = (types: Readonly<Record<string, Kind>>) =>
  JSON.stringify(Object.entries(types).sort());

function lengthOf(frame: readonly Buffer[] = []): number {
  return frame.reduce((sum, part) => sum + part.length, 0);
}

function stateFrame({ json, isTruncated }: DocumentJson): Buffer[] {
  const head = Buffer.from(`event: state\ndata: {"truncated":${isTruncated},"document":`);
  const { buffer, byteOffset, length } = json;
  return [head, Buffer.from(buffer, byteOffset, length), Buffer.from('}\n\n')];
}
