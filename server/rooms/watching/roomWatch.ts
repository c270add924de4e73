import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { RoomChannelStanding, RoomStanding } from '../../../machines/roomSetup.js';
import type { Documents } from '../../documents/documents.js';
import { canAsk } from '../../pubsub/pubSubServers.js';
import type { ChannelFailure } from '../../redis/redisChannels.js';
import { Heartbeat } from '../../sse/heartbeat.js';
import type { Viewer } from '../../sse/viewer.js';
import type { Divergence } from '../../wire/divergence.js';
import type { LogEntry } from '../../wire/logEntry.js';
import type {
  PresenceStanding,
  RoomFindings,
  RoomStatus,
  UnreadableServer,
  WaitingServer,
} from '../../wire/roomStatus.js';
import { AwarenessStreams } from './awarenessStreams.js';
import { RoomContent } from './roomContent.js';
import { RoomStreams, type RoomView } from './roomStreams.js';
import { UpdateLog } from './updateLog.js';

/** What a watched room needs of the rest of the service. */
export interface RoomWatchNeeds {
  documents: Documents;
  frameIntervalMs: number;
  /** Milliseconds of a clock that only grows; that of the process unless told. */
  now?: () => number;
  /** Told of the first garbage on a room's channel. */
  onGarbage: (room: RoomName, bytes: number) => void;
  /** Told when something is found of a server that was not there before. */
  onFinding: (room: RoomName, finding: ServerFinding) => void;
}

/** What is not as it should be with a server of a room. */
export type ServerFinding =
  | ({ finding: 'unreadable' } & UnreadableServer)
  | ({ finding: 'waiting_for' } & WaitingServer)
  | ({ finding: 'diverged' } & Divergence);

/** What the room's machine is told. */
export interface RoomWatchEvents {
  /** Something is missing: the states of the servers have to be merged again. */
  onGap: () => void;
  /** The document is empty again. */
  onLost: () => void;
  /** What rounds found did not come by the channel; it does. */
  onMissed: () => void;
  onHeard: () => void;
}

/** What is shown of one watched room: its document, who is in it, its log, and how it stands. */
export class RoomWatch {
  readonly room: RoomName;
  readonly #needs: RoomWatchNeeds;
  /** Whether servers can be asked for it by its name. */
  readonly #isAskable: boolean;
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
  /** Why that is not subscribed; undefined: it is, or nothing says so yet. */
  #failure: ChannelFailure | undefined;
  #presence: PresenceStanding = 'connecting';
  #notAsked = 0;
  #toldStatus = '';
  #statusDue: NodeJS.Immediate | undefined;
  /** Findings and their servers, as they were last told. */
  #found = new Set<string>();

  constructor(room: RoomName, needs: RoomWatchNeeds) {
    this.room = room;
    this.#needs = needs;
    this.#isAskable = canAsk(room);
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

  /** The room's machine runs: a document of its own, until `end`. */
  begin({ onGap, onLost, onMissed, onHeard }: RoomWatchEvents): RoomContent {
    this.#content?.close();
    const lost = () => {
      content.reset();
      onLost();
    };
    const document = this.#needs.documents.open(this.room, { onLost: lost });
    const content = new RoomContent(document, {
      onGap,
      onMissed,
      onHeard,
      onStatus: () => {
        if (content.isTooLarge) this.#streams.forgetJson();
        this.#noteFindings(content);
        this.#tellStatusSoon();
      },
      onChanged: () => this.#streams.touch(),
      onMerged: () => void this.#streams.retellUpdates(),
      onGarbage: (bytes) => this.#noteGarbage(bytes),
      onUpdate: (summary, update) => this.#streams.tellUpdate(this.#log.add(summary), update),
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

  /** Servers that may hold the room and are not asked, being too many. */
  setNotAsked(count: number): void {
    if (count === this.#notAsked) return;
    this.#notAsked = count;
    this.#tellStatus();
  }

  setStanding(standing: RoomStanding): void {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#tellStatusSoon();
  }

  setChannel(channel: RoomChannelStanding): void {
    this.#channel = channel;
    if (channel !== 'lost') this.#failure = undefined;
    this.#tellStatusSoon();
  }

  setFailure(failure: ChannelFailure): void {
    this.#failure = failure;
    this.#tellStatusSoon();
  }

  setPresence(presence: PresenceStanding): void {
    this.#presence = presence;
    this.#awareness.setFollowed(presence === 'subscribed');
    this.#tellStatusSoon();
  }

  /** Takes a message of the room's presence channel. */
  applyPresence(update: Uint8Array): void {
    this.#awareness.take(update);
  }

  /** How the room stands; the data of a `room` event. */
  status(): RoomStatus {
    const channel = this.#channelStanding;
    return {
      room: this.room,
      // Whatever its machine concludes, servers were not asked.
      state: this.#isAskable ? this.#standing : 'unaskable',
      askable: this.#isAskable,
      source: channel === 'subscribed' || channel === 'followed' ? 'redis' : 'poll',
      channel,
      presence: this.#presence,
      servers: this.#holders(),
      notAsked: this.#notAsked,
      tooLarge: this.#content?.isTooLarge ?? false,
      ...this.findings(),
    };
  }

  /** Where it is gone, or waited for, nobody holds it: the document hears of that before or after its standing. */
  #holders(): readonly ServerId[] {
    const isHeld = this.#standing === 'live' || this.#standing === 'polling';
    return isHeld ? (this.#content?.holders ?? []) : [];
  }

  /** What is not as it should be with the room's servers and its channel. */
  findings(): RoomFindings {
    return {
      diverged: this.#content?.diverged ?? [],
      unreadable: this.#content?.unreadable ?? [],
      waitingFor: this.#content?.waitingFor ?? [],
      garbage: this.#log.garbage,
    };
  }

  /** The newest updates, the newest first. */
  log(): LogEntry[] {
    return this.#log.newestFirst();
  }

  close(): void {
    this.#heartbeat.stop();
    clearImmediate(this.#statusDue);
    this.end();
    this.#awareness.close();
    this.#streams.close();
  }

  get #channelStanding(): RoomChannelStanding | 'refused' {
    const isMissed = this.#channel === 'connecting' || this.#channel === 'lost';
    if (!isMissed || this.#failure === undefined) return this.#channel;
    return this.#failure === 'refused' ? 'refused' : 'lost';
  }

  /** In the next turn: the document and the machine learn one after the other what a round came to. */
  #tellStatusSoon(): void {
    this.#statusDue ??= setImmediate(() => {
      this.#statusDue = undefined;
      this.#tellStatus();
    });
  }

  #tellStatus(): void {
    const status = this.status();
    const told = JSON.stringify(status);
    if (told === this.#toldStatus) return;
    this.#toldStatus = told;
    this.#streams.tell('room', status);
  }

  #noteFindings({ unreadable, waitingFor, diverged }: RoomContent): void {
    const findings: ServerFinding[] = [
      ...unreadable.map((each) => ({ finding: 'unreadable' as const, ...each })),
      ...waitingFor.map((each) => ({ finding: 'waiting_for' as const, ...each })),
      ...diverged.map((each) => ({ finding: 'diverged' as const, ...each })),
    ];
    const before = this.#found;
    this.#found = new Set();
    for (const each of findings) {
      const key = `${each.finding} ${each.server}`;
      this.#found.add(key);
      if (!before.has(key)) this.#needs.onFinding(this.room, each);
    }
  }

  #noteGarbage(bytes: number): void {
    this.#log.garbage += 1;
    if (this.#log.garbage === 1) this.#needs.onGarbage(this.room, bytes);
  }
}
