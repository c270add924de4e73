import { assertEvent, assign, enqueueActions, fromCallback, sendTo, setup } from 'xstate';
import type { DiscoveryRequest, RoomName, ServerId, Timing } from './ports.js';
import { pubSubServerMachine } from './pubSubServerMachine.js';
import type { PubSubServerInput, ServerReport } from './pubSubServerSetup.js';
import { roomMachine } from './roomMachine.js';
import type { Member, Roster, Standing } from './roster.js';
import { emptySlot } from './slots.js';
import { spreadOf } from './spread.js';
import type { Post, Tally, TallyLimits } from './tally.js';
import type { WatchedRoom, WatchedRooms } from './watchedRooms.js';

export type ActivationEvent =
  | ServerReport
  | { type: 'viewer.connected' }
  | { type: 'viewer.disconnected' }
  /** All posts of a moment, in their order. The array is emptied once it has been taken: not to be kept. */
  | { type: 'deltas.received'; posts: readonly Post[] }
  /** These servers posted something that a server set right would not post. */
  | { type: 'evidence.found'; servers: readonly ServerId[] }
  /** A start-up query was answered; any of these may have sent it. */
  | { type: 'startup.answered'; servers: readonly ServerId[]; isActive: boolean }
  /** These are pub-sub servers, or, as candidates, only claim to be. */
  | { type: 'servers.found'; servers: readonly ServerId[]; standing: Standing }
  /** All servers that the sources of discovery name now; `fromRooms`: those that only the rooms table names. */
  | {
      type: 'servers.discovered';
      servers: readonly ServerId[];
      fromRooms?: readonly ServerId[] | undefined;
    }
  /** Somebody began or ceased to watch a room; nobody has watched it for the linger time. */
  | { type: 'room.watched'; room: RoomName }
  | { type: 'room.unwatched'; room: RoomName }
  | { type: 'room.expired'; room: RoomName }
  /** Somebody began or ceased to watch the updates that servers post. */
  | { type: 'updates.watched' }
  | { type: 'updates.unwatched' }
  | { type: 'shutdown.requested' }
  | { type: 'slice.due' }
  /** The actor of a server or a room threw a while ago. */
  | { type: 'replacement.due'; actorId: string }
  /** XState's word for a child that threw. */
  | { type: `xstate.error.actor.${string}`; actorId: string; error: unknown };

interface Context {
  readonly tally: Tally;
  readonly roster: Roster;
  readonly rooms: WatchedRooms;
  readonly timing: Timing;
  viewers: number;
  /** How many of them watch the updates of all documents, as servers post them. */
  updateViewers: number;
  isShuttingDown: boolean;
}

/** Servers told of a new wish in one turn of the event loop: a thousand at once would block it. */
const slice = { size: 50, pauseMs: 1 };
/** A defect may show again at once: without a pause the service would do nothing but replace. */
const replacementMs = 1000;
const candidates = { max: 1024, failureLimit: 3 };

/** How the servers that an event names come to be known. */
function standingBy(event: ActivationEvent): Standing {
  if (event.type === 'servers.found') return event.standing;
  return event.type === 'servers.discovered' ? 'found' : 'candidate';
}

type EnrolNeeds = Pick<Context, 'roster' | 'tally' | 'timing' | 'updateViewers'>;

interface Enrolled extends Pick<PubSubServerInput, 'server' | 'isUnconfirmed'> {
  standing: Standing;
  isProven?: boolean;
}

/** Starts the actor of a server and enters it in the roster. */
export function enrol(
  { roster, tally, timing, updateViewers }: EnrolNeeds,
  spawn: (options: { id: string; input: PubSubServerInput }) => Member['ref'],
  { standing, isProven = false, ...about }: Enrolled,
): void {
  const { server } = about;
  const isUpdatesWished = updateViewers > 0;
  const input = { ...about, tally, timing, jitter: spreadOf(server), isUpdatesWished };
  roster.add({ server, standing, isProven, ref: spawn({ id: `server:${server}`, input }) });
}

/** Takes a server off the roster, with its counts; its actor is for the caller to stop. */
function strike({ roster, tally }: Context, { server, ref }: Member): Member['ref'] {
  roster.remove(server);
  tally.drop(server);
  return ref;
}

/** Who may have posted under the name of a server: an answer to a start-up query names a guess. */
function sendersOf({ roster }: Context, server: ServerId, fromStartup: boolean): Member[] {
  if (fromStartup) return roster.ofSameHost(server);
  const member = roster.get(server);
  return member ? [member] : [];
}

/** Whose actor this is: rooms are named by strangers, after servers too. */
const serverOf = (actorId: string) => afterPrefix(actorId, 'server:') as ServerId | undefined;
const roomOf = (actorId: string): RoomName | undefined => afterPrefix(actorId, 'room:');

function afterPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

function hasFailed<T extends Pick<Member, 'ref'> | Pick<WatchedRoom, 'ref'>>(
  held: T | undefined,
): held is T {
  return held?.ref.getSnapshot().status === 'error';
}

/** What the chart of `activationMachine.ts` names: its events, guards, delays, actions and slots. */
export const activationSetup = setup({
  types: {
    context: {} as Context,
    events: {} as ActivationEvent,
    input: {} as { timing: Timing; servers: readonly ServerId[]; limits?: TallyLimits },
  },
  actors: {
    pubSubServer: pubSubServerMachine,
    room: roomMachine,
    /** Slot: asks the sources once at the start, and again and again between the two events. */
    discovery: fromCallback<DiscoveryRequest>(emptySlot('discovery')),
  },
  guards: {
    /** During a shutdown viewers no longer count. */
    isWatched: ({ context }) => context.viewers > 0 && !context.isShuttingDown,
    isUnwatched: ({ context }) => context.viewers === 0,
    isCounting: ({ context }) => context.roster.wished === 'activity',
    isSettled: ({ context }) => context.roster.isSettled,
    isShuttingDown: ({ context }) => context.isShuttingDown,
    isShutdownComplete: ({ context }) => context.isShuttingDown && context.roster.isSettled,
  },
  delays: { lingerMs: ({ context }) => context.timing.lingerMs },
  actions: {
    /** Slot: something that viewers are shown may have changed. */
    publish: emptySlot('publish'),
    /** Slot: all counts are gone; nothing shown before leads to what comes. */
    restartFeed: emptySlot('restartFeed'),
    /** Slot: the actor of a server or a room failed, which is a defect of this service. */
    reportDefect: emptySlot('reportDefect'),

    addViewer: assign({ viewers: ({ context }) => context.viewers + 1 }),
    removeViewer: assign({ viewers: ({ context }) => Math.max(0, context.viewers - 1) }),
    markShuttingDown: assign({ isShuttingDown: true }),
    clearTally: ({ context }) => context.tally.clear(),
    endDiscovery: sendTo('discovery', { type: 'discovery.ended' as const }),
  },
}).extend({
  actions: {
    /** Nothing is sent when the fleet is active already, as after lingering. */
    activateFleet: enqueueActions(({ context: { roster }, enqueue }) => {
      if (roster.wished === 'activity') return;
      enqueue.sendTo('discovery', { type: 'discovery.begun' });
      roster.wish('activity');
      enqueue.raise({ type: 'slice.due' });
    }),
    silenceFleet: enqueueActions(({ context: { roster }, enqueue }) => {
      roster.wish('silence');
      enqueue.raise({ type: 'slice.due' });
    }),
    tellSlice: enqueueActions(({ context: { roster }, enqueue }) => {
      const type = roster.wished === 'activity' ? 'activation.requested' : 'deactivation.requested';
      for (const { ref } of roster.takeUntold(slice.size)) enqueue.sendTo(ref, { type });
      enqueue.cancel('slice');
      if (roster.hasUntold)
        enqueue.raise({ type: 'slice.due' }, { id: 'slice', delay: slice.pauseMs });
    }),

    recordDeltas: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'deltas.received');
      for (const [server, finding] of context.tally.recordAll(event.posts)) {
        const isSuperseded = finding === 'superseded';
        const type = isSuperseded ? 'evidence.found' : 'doubt.raised';
        for (const { ref } of sendersOf(context, server, isSuperseded))
          enqueue.sendTo(ref, { type });
      }
      for (const server of context.tally.takePosters()) {
        const member = context.roster.get(server);
        if (member) enqueue.sendTo(member.ref, { type: 'post.received' });
      }
    }),
    /** Whoever posts unwished is set right, unless it is just being told. */
    refuseDeltas: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'deltas.received');
      const named = new Map<ServerId, boolean>();
      for (const { server, fromStartup } of event.posts)
        named.set(server, fromStartup || named.get(server) === true);
      const senders = [...named].flatMap((each) => sendersOf(context, ...each));
      for (const { status, ref } of new Set(senders))
        if (status === 'silent' || status === 'unknown')
          enqueue.sendTo(ref, { type: 'evidence.found' });
    }),
    /** A server that was let go and posts all the same is there after all. */
    welcomePosters: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'deltas.received');
      const strangers = new Set<ServerId>();
      for (const { server } of event.posts) if (!context.roster.get(server)) strangers.add(server);
      const servers = [...strangers];
      if (servers.length > 0)
        enqueue.raise({ type: 'servers.found', servers, standing: 'candidate' });
    }),
    forwardEvidence: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['evidence.found', 'startup.answered']);
      if (event.type === 'startup.answered' && !event.isActive) return;
      for (const server of event.servers) {
        const member = context.roster.get(server);
        if (member) enqueue.sendTo(member.ref, { type: event.type });
      }
    }),

    welcomeServers: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['servers.found', 'servers.discovered', 'startup.answered']);
      const standing = standingBy(event);
      const isProven = event.type === 'servers.found' && standing !== 'candidate';
      for (const server of event.servers) {
        if (context.roster.get(server)) {
          if (standing !== 'candidate') context.roster.promote(server, standing);
          if (isProven) context.roster.prove(server);
          continue;
        }
        enqueue.assign(({ spawn }) => {
          const about = { server, standing, isProven };
          enrol(context, (options) => spawn('pubSubServer', options), about);
          return {};
        });
      }
    }),
    displaceCandidates: enqueueActions(({ context, enqueue }) => {
      while (context.roster.candidates > candidates.max) {
        const oldest = context.roster.oldestCandidate();
        if (oldest) enqueue.stopChild(strike(context, oldest));
      }
    }),
    noteAnswer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'server.answered');
      const { server } = event;
      context.roster.prove(server);
      if (context.roster.get(server)?.standing !== 'candidate') return;
      context.roster.promote(server, 'found');
      enqueue.raise({ type: 'slice.due' });
      enqueue.sendTo('discovery', { type: 'server.proved', server });
    }),
    noteReport: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'server.reported');
      const { server, status, failures } = event;
      context.roster.report(server, status, failures);
      const member = context.roster.get(server);
      if (member?.standing === 'candidate' && failures >= candidates.failureLimit)
        enqueue.stopChild(strike(context, member));
    }),
    noteLoss: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'server.lost');
      const member = context.roster.get(event.server);
      if (member?.standing !== 'found' || member.naming === 'named') return;
      enqueue.stopChild(strike(context, member));
      enqueue.sendTo('discovery', { type: 'server.forgotten', server: event.server });
    }),
    /** Who is gone from every source, and does not answer, is gone. */
    letGoVanished: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'servers.discovered');
      context.roster.name(event.servers, event.fromRooms);
      for (const member of context.roster.vanished()) {
        enqueue.stopChild(strike(context, member));
        enqueue.sendTo('discovery', { type: 'server.forgotten', server: member.server });
      }
    }),
    noteUpdateViewer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['updates.watched', 'updates.unwatched']);
      const before = context.updateViewers;
      const updateViewers = Math.max(0, before + (event.type === 'updates.watched' ? 1 : -1));
      enqueue.assign({ updateViewers });
      if (before > 0 === updateViewers > 0) return;
      const type = updateViewers > 0 ? 'updates.wished' : 'updates.unwished';
      for (const { ref } of context.roster) enqueue.sendTo(ref, { type });
    }),
    watchRoom: enqueueActions(({ context: { rooms, timing }, event, enqueue }) => {
      assertEvent(event, 'room.watched');
      const { room } = event;
      const watched = rooms.get(room);
      enqueue.cancel(`room:${room}`);
      if (watched) {
        watched.viewers += 1;
        return;
      }
      enqueue.assign(({ spawn }) => {
        const input = { room, timing: timing.room };
        rooms.add(room, spawn('room', { id: `room:${room}`, input }), 1);
        return {};
      });
    }),
    unwatchRoom: enqueueActions(({ context: { rooms }, event, enqueue }) => {
      assertEvent(event, 'room.unwatched');
      const { room } = event;
      const watched = rooms.get(room);
      if (!watched) return;
      watched.viewers -= 1;
      if (watched.viewers > 0) return;
      enqueue.raise({ type: 'room.expired', room }, { id: `room:${room}`, delay: 'lingerMs' });
    }),
    stopRoom: enqueueActions(({ context: { rooms }, event, enqueue }) => {
      assertEvent(event, 'room.expired');
      const watched = rooms.get(event.room);
      rooms.remove(event.room);
      if (watched) enqueue.stopChild(watched.ref);
    }),
    /** Until it is replaced nothing is known of it. */
    noteFailed: enqueueActions(({ context: { roster, tally, timing }, event, enqueue }) => {
      if (!('actorId' in event)) return;
      const { actorId } = event;
      const server = serverOf(actorId);
      let delay = replacementMs;
      if (server !== undefined) {
        tally.drop(server);
        roster.report(server, 'unreachable', 1);
        // Its requests are over by then; what they may still bring about, a confirmation comes after.
        delay = Math.max(replacementMs, timing.requestTimeoutMs);
      }
      const timer = { id: `replacement:${actorId}`, delay };
      enqueue.raise({ type: 'replacement.due', actorId }, timer);
    }),
    replaceFailed: enqueueActions(({ context: { rooms, roster, ...held }, event, enqueue }) => {
      assertEvent(event, 'replacement.due');
      const room = roomOf(event.actorId);
      const watched = room === undefined ? undefined : rooms.get(room);
      if (room !== undefined && hasFailed(watched)) {
        enqueue.raise({ type: 'room.expired', room });
        for (let i = 0; i < watched.viewers; i += 1) enqueue.raise({ type: 'room.watched', room });
      }
      const failed = serverOf(event.actorId);
      const member = failed === undefined ? undefined : roster.get(failed);
      if (!hasFailed(member)) return;
      const { server, standing, isProven } = member;
      enqueue.stopChild(member.ref);
      enqueue.assign(({ spawn }) => {
        const about = { server, standing, isProven, isUnconfirmed: true };
        enrol({ ...held, roster }, (options) => spawn('pubSubServer', options), about);
        return {};
      });
    }),
  },
});
