import type { DocumentJson } from '../../documents/documentJson.js';
import type { Kind } from '../../documents/sharedTypes.js';
import { Channel, type StreamViewer } from '../../sse/channel.js';
import { asBuffer, lengthOf, messageFrame } from '../../sse/frames.js';
import { SharedFrame } from '../../sse/sharedFrame.js';
import type { Viewer } from '../../sse/viewer.js';
import { Pace } from '../../timing/pace.js';
import type { AwarenessView } from './awarenessStreams.js';
import type { WholeState } from './roomContent.js';
import { frameOf, updateParts } from './updateFrames.js';

/** What a viewer wants: the document as JSON, or as updates to merge by itself; and how to get awareness. */
export type RoomView = (
  | { as: 'state'; types: Readonly<Record<string, Kind>> }
  | { as: 'updates' }
) & { awareness?: AwarenessView };

/** The content of a room's streams. */
export interface RoomStreamsNeeds {
  frameIntervalMs: number;
  /** The document as JSON; undefined: there is none yet. */
  makeJson: (types: Readonly<Record<string, Kind>>) => Promise<DocumentJson | undefined>;
  /** The whole document as updates. Empty: nothing is merged yet. Undefined: there is none now. */
  makeUpdates: () => Promise<readonly WholeState[] | undefined>;
  /** Other events for every viewer: data by the name of the event. */
  status: () => Record<string, object>;
}

interface JsonStream {
  channel: Channel;
  pace: Pace;
  state: Buffer[] | undefined;
  /** The frames for new viewers, until something changes. Weak, to free the memory when all have read them. */
  whole: WeakRef<Buffer[]> | undefined;
}

/** Most bytes of JSON per millisecond for a viewer. */
const maxBytesPerMs = 1000;
/** Most JSON streams of a room, which differ in the kinds of root types. */
const maxJsonStreams = 16;

/** The viewers of one room and their frames. Each frame is encoded once for all viewers. */
export class RoomStreams {
  readonly #needs: RoomStreamsNeeds;
  readonly #updates = new Channel(() => this.#whole.get());
  /** The whole document as updates. */
  readonly #whole: SharedFrame<readonly WholeState[] | undefined, Buffer[]>;
  /** By the kinds of root types that their viewers named. */
  readonly #json = new Map<string, JsonStream>();

  constructor(needs: RoomStreamsNeeds) {
    this.#needs = needs;
    this.#whole = new SharedFrame(
      () => needs.makeUpdates(),
      (states) => states && this.#wholeUpdates(states),
    );
  }

  /** Whether a viewer with this view can be added now. */
  hasPlaceFor(view: RoomView): boolean {
    if (view.as === 'updates') return true;
    return this.#json.size < maxJsonStreams || this.#json.has(keyOf(view.types));
  }

  add(viewer: Viewer, view: RoomView): void {
    if (view.as === 'updates') this.#updates.addNeedingState(viewer);
    else this.#jsonStream(view.types).channel.addNeedingState(viewer);
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

  /** The document changed. Its JSON is made again, at most once in a frame interval. */
  touch(): void {
    for (const { pace } of this.#json.values()) pace.touch();
  }

  /** The document has no JSON any more. */
  forgetJson(): void {
    for (const stream of this.#json.values()) {
      stream.state = undefined;
      stream.whole = undefined;
    }
  }

  /** Sends an event to all viewers. */
  broadcast(event: string, data: object): void {
    this.#whole.forgetMade();
    const frame = messageFrame(JSON.stringify(data), { event });
    this.#updates.broadcast(frame);
    for (const stream of this.#json.values()) {
      stream.whole = undefined;
      stream.channel.broadcast(frame);
    }
  }

  /** Sends an update and its log entry. */
  sendUpdate(entry: object, update: Uint8Array): void {
    this.#whole.forgetMade();
    const json = JSON.stringify(entry);
    const frame = messageFrame(json, { event: 'update' });
    for (const { channel } of this.#json.values()) channel.broadcast(frame);
    if (this.#updates.size === 0) return;
    this.#updates.broadcast(frameOf(updateParts('update', json, { raw: update })));
  }

  /** Sends the whole document to viewers that merge updates, because it has more than those that were sent. */
  async resendUpdates(): Promise<void> {
    // One in the making may be older. Viewers that wait for it get this one afterwards.
    this.#whole.forget();
    if (this.#updates.size === 0) return;
    const whole = await this.#whole.get();
    if (whole) this.#updates.broadcast(whole);
    this.#updates.catchUp();
  }

  /** Brings viewers that are behind up to date. */
  catchUp(): void {
    this.#updates.catchUp();
    for (const { channel } of this.#json.values()) channel.catchUp();
  }

  *viewers(): Generator<StreamViewer> {
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
        () => this.#makeJson(stream, types),
        () => Math.max(this.#needs.frameIntervalMs, lengthOf(stream.state ?? []) / maxBytesPerMs),
      ),
      state: undefined,
      whole: undefined,
    };
    this.#json.set(key, stream);
    stream.pace.touch();
    return stream;
  }

  async #makeJson(stream: JsonStream, types: Readonly<Record<string, Kind>>): Promise<void> {
    const made = await this.#needs.makeJson(types);
    if (!made || stream.channel.size === 0) return;
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

  #wholeUpdates(states: readonly WholeState[]): Buffer[] {
    const parts = states.flatMap(({ update, ...head }) =>
      updateParts('state', JSON.stringify(head), update),
    );
    return [...frameOf(parts), ...this.#statusFrames()];
  }

  #statusFrames(): Buffer[] {
    const events = Object.entries(this.#needs.status());
    return events.map(([event, data]) => messageFrame(JSON.stringify(data), { event }));
  }
}

const keyOf = (types: Readonly<Record<string, Kind>>) =>
  JSON.stringify(Object.entries(types).sort());

function stateFrame({ json, isTruncated }: DocumentJson): Buffer[] {
  const head = Buffer.from(`event: state\ndata: {"truncated":${isTruncated},"document":`);
  return [head, asBuffer(json), Buffer.from('}\n\n')];
}
