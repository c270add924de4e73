import type {
  RoomChannelStanding,
  RoomName,
  RoomStanding,
  ServerId,
} from '../../../machines/ports.js';
import type { Documents } from '../../documents/documents.js';
import type { ChannelFailure } from '../../redis/redisChannels.js';
import { Heartbeat } from '../../sse/heartbeat.js';
import type { Viewer } from '../../sse/viewer.js';
import type { Divergence } from '../../wire/divergence.js';
import type { LogEntry } from '../../wire/logEntry.js';
import type {
  ChannelStanding,
  PresenceStanding,
  RoomFindings,
  RoomStatus,
  UnreadableServer,
  WaitingServer,
} from '../../wire/roomStatus.js';
import { AwarenessStreams } from './awarenessStreams.js';
import type { ChannelWatchEvents } from './channelWatch.js';
import { RoomContent } from './roomContent.js';
import { RoomStreams, type RoomView } from './roomStreams.js';
import { UpdateLog } from './updateLog.js';

/** What a watched room needs of the rest of the service. */
export interface RoomWatchNeeds {
  /** Where updates and awareness are to come from. */
  source: 'redis' | 'posts';
  documents: Documents;
  frameIntervalMs: number;
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  now?: () => number;
  /** Whether servers can be asked for the room, as far as it is known before they are. */
  isAskable: boolean;
  /** Called with the first garbage on the channel of a room. */
  onGarbage: (room: RoomName, bytes: number) => void;
  /** Called with each new finding about a server. */
  onFinding: (room: RoomName, finding: ServerFinding) => void;
  /** The servers began to differ; none: they agree again. */
  onDiverged: (differing: readonly string[]) => void;
}

/** What is wrong with a server of a room. */
export type ServerFinding =
  | ({ finding: 'unreadable' } & UnreadableServer)
  | ({ finding: 'waiting_for' } & WaitingServer)
  | ({ finding: 'diverged' } & Divergence);

/** Events for the room's machine. */
export interface RoomWatchEvents extends ChannelWatchEvents {
  /** Updates are missing. The states of the servers have to be merged again. */
  onGap: () => void;
  /** The document is empty again. */
  onLost: () => void;
}

/** One watched room as viewers see it: its document, its people, its log and its status. */
export class RoomWatch {
  readonly room: RoomName;
  readonly #needs: RoomWatchNeeds;
  readonly #log = new UpdateLog();
  readonly #awareness: AwarenessStreams;
  readonly #streams: RoomStreams;
  readonly #heartbeat = new Heartbeat({
    catchUp: () => {
      this.#streams.catchUp();
      this.#awareness.catchUp();
    },
    viewers: () => this.#streams.viewers(),
  });
  #content: RoomContent | undefined;
  #standing: RoomStanding = 'locating';
  #channel: RoomChannelStanding = 'connecting';
  /** Why the channel is not subscribed; undefined: it is, or the reason is unknown. */
  #failure: ChannelFailure | undefined;
  #presence: PresenceStanding = 'connecting';
  #isAskable: boolean;
  #notAsked = 0;
  #sentStatus = '';
  #statusTimer: NodeJS.Immediate | undefined;
  /** Reported findings with their servers. */
  #reported = new Set<string>();

  constructor(room: RoomName, needs: RoomWatchNeeds) {
    this.room = room;
    this.#needs = needs;
    this.#isAskable = needs.isAskable;
    const { documents, frameIntervalMs, now = () => performance.now() } = needs;
    const onGarbage = (bytes: number) => this.#noteGarbage(bytes);
    this.#awareness = new AwarenessStreams(room, { documents, frameIntervalMs, now, onGarbage });
    this.#streams = new RoomStreams({
      frameIntervalMs,
      makeJson: async (types) => this.#content?.json(types),
      makeUpdates: async () => this.#content?.updates(),
      status: () => ({ room: this.status() }),
    });
    this.#heartbeat.start();
  }

  /** The room's machine started: opens a document, until `end`. */
  begin({ onLost, ...events }: RoomWatchEvents): RoomContent {
    this.#content?.close();
    const lost = () => {
      content.reset();
      onLost();
    };
    const document = this.#needs.documents.open(this.room, { onLost: lost });
    const content = new RoomContent(document, {
      ...events,
      onStatus: () => {
        if (content.isTooLarge) this.#streams.forgetJson();
        this.#noteFindings(content);
        this.#sendStatusSoon();
      },
      onChanged: () => this.#streams.touch(),
      onMerged: () => void this.#streams.resendUpdates(),
      onGarbage: (bytes) => this.#noteGarbage(bytes),
      onDiverged: this.#needs.onDiverged,
      onUpdate: (summary, update) => this.#streams.sendUpdate(this.#log.add(summary), update),
    });
    this.#content = content;
    return content;
  }

  end(): void {
    this.#content?.close();
    this.#content = undefined;
  }

  hasPlaceFor(view: RoomView): boolean {
    return this.#streams.hasPlaceFor(view);
  }

  add(viewer: Viewer, view: RoomView): void {
    this.#streams.add(viewer, view);
    this.#awareness.add(viewer, view.awareness ?? 'whole');
  }

  remove(viewer: Viewer): void {
    this.#streams.remove(viewer);
    this.#awareness.remove(viewer);
  }

  get viewers(): number {
    return this.#streams.size;
  }

  /**
   * Notes what a round found. `notAsked`: servers that may hold the room but are not asked, because they
   * are too many.
   */
  noteRound({ isAskable, notAsked }: { isAskable: boolean; notAsked: number }): void {
    if (isAskable === this.#isAskable && notAsked === this.#notAsked) return;
    this.#isAskable = isAskable;
    this.#notAsked = notAsked;
    this.#sendStatus();
  }

  setStanding(standing: RoomStanding): void {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#sendStatusSoon();
  }

  setChannel(channel: RoomChannelStanding): void {
    this.#channel = channel;
    if (channel !== 'lost') this.#failure = undefined;
    this.#sendStatusSoon();
  }

  setFailure(failure: ChannelFailure): void {
    this.#failure = failure;
    this.#sendStatusSoon();
  }

  setPresence(presence: PresenceStanding): void {
    this.#presence = presence;
    this.#awareness.setFollowed(presence === 'subscribed');
    this.#sendStatusSoon();
  }

  /** Updates or awareness were dropped on their way. The states of the servers have to be merged again. */
  noteDropped(): void {
    this.#content?.noteDropped();
  }

  /** Applies a message of the room's presence channel. */
  applyPresence(update: Uint8Array): void {
    this.#awareness.apply(update);
  }

  /** The status of the room; the data of a `room` event. */
  status(): RoomStatus {
    const channel = this.#channelStanding;
    return {
      room: this.room,
      // The machine does not know that servers could not be asked.
      state: this.#isAskable ? this.#standing : 'unaskable',
      askable: this.#isAskable,
      source: channel === 'subscribed' || channel === 'followed' ? this.#needs.source : 'poll',
      redis: this.#needs.source === 'redis',
      channel,
      presence: this.#presence,
      servers: this.#holders(),
      notAsked: this.#notAsked,
      tooLarge: this.#content?.isTooLarge ?? false,
      ...this.findings(),
    };
  }

  /** None while no server holds the room: the document may learn that before or after the machine does. */
  #holders(): readonly ServerId[] {
    const isHeld = this.#standing === 'live' || this.#standing === 'polling';
    return isHeld ? (this.#content?.holders ?? []) : [];
  }

  /** What is wrong with the room's servers and its channel. */
  findings(): RoomFindings {
    return {
      diverged: this.#content?.diverged ?? [],
      unreadable: this.#content?.unreadable ?? [],
      waitingFor: this.#content?.waitingFor ?? [],
      garbage: this.#log.garbage,
    };
  }

  /** The last updates, newest first. */
  log(): LogEntry[] {
    return this.#log.newestFirst();
  }

  close(): void {
    this.#heartbeat.stop();
    clearImmediate(this.#statusTimer);
    this.end();
    this.#awareness.close();
    this.#streams.close();
  }

  get #channelStanding(): ChannelStanding {
    const isMissed = this.#channel === 'connecting' || this.#channel === 'lost';
    if (!isMissed || this.#failure === undefined) return this.#channel;
    return this.#failure === 'refused' ? 'refused' : 'lost';
  }

  /** Waits a turn, because the document and the machine learn the outcome of a round one after the other. */
  #sendStatusSoon(): void {
    this.#statusTimer ??= setImmediate(() => {
      this.#statusTimer = undefined;
      this.#sendStatus();
    });
  }

  #sendStatus(): void {
    const status = this.status();
    const text = JSON.stringify(status);
    if (text === this.#sentStatus) return;
    this.#sentStatus = text;
    this.#streams.broadcast('room', status);
  }

  #noteFindings({ unreadable, waitingFor, diverged }: RoomContent): void {
    const findings: ServerFinding[] = [
      ...unreadable.map((each) => ({ finding: 'unreadable' as const, ...each })),
      ...waitingFor.map((each) => ({ finding: 'waiting_for' as const, ...each })),
      ...diverged.map((each) => ({ finding: 'diverged' as const, ...each })),
    ];
    const before = this.#reported;
    this.#reported = new Set();
    for (const each of findings) {
      const key = `${each.finding} ${each.server}`;
      this.#reported.add(key);
      if (!before.has(key)) this.#needs.onFinding(this.room, each);
    }
  }

  #noteGarbage(bytes: number): void {
    this.#log.garbage += 1;
    if (this.#log.garbage === 1) this.#needs.onGarbage(this.room, bytes);
  }
}
