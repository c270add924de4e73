import { assertEvent } from 'xstate';
import {
  type ActivationContext,
  type ActivationEvent,
  activationSetup,
} from './activationSetup.js';
import type { ServerId } from './ports.js';
import type { PubSubServerInput } from './pubSubServerSetup.js';
import type { Member, Standing } from './roster.js';
import { spreadOf } from './spread.js';

const { enqueueActions } = activationSetup;

/** Servers told in one turn of the event loop. Telling a thousand at once would block it. */
const batch = { size: 50, pauseMs: 1 };
const candidates = { max: 1024, failureLimit: 3 };

interface NewServer extends Pick<PubSubServerInput, 'server'> {
  standing: Standing;
  isProven?: boolean;
}

/** Starts the actor of a server and adds it to the roster. */
export function addServer(
  {
    roster,
    tally,
    timing,
    updateViewers,
  }: Pick<ActivationContext, 'roster' | 'tally' | 'timing' | 'updateViewers'>,
  spawn: (options: { id: string; input: PubSubServerInput }) => Member['ref'],
  added: NewServer,
): void {
  const { server } = added;
  const isUpdatesWished = updateViewers > 0;
  const input = { server, tally, timing, jitter: spreadOf(server), isUpdatesWished };
  roster.add({ ...added, ref: spawn({ id: `server:${server}`, input }) });
}

/** Removes a server and its counts. The caller stops the actor that this returns. */
function removeServer(
  { roster, tally }: ActivationContext,
  { server, ref }: Member,
): Member['ref'] {
  roster.remove(server);
  tally.drop(server);
  return ref;
}

function standingBy(event: ActivationEvent): Standing {
  if (event.type === 'servers.found') return event.standing;
  return event.type === 'servers.discovered' ? 'found' : 'candidate';
}

/** Actions about the fleet: which servers are known, and what they are told to do. */
export const fleetActions = {
  /** Does nothing if the fleet is active already, as it is while lingering. */
  activateFleet: enqueueActions(({ context: { roster }, enqueue }) => {
    if (roster.wished === 'activity') return;
    enqueue.sendTo('discovery', { type: 'discovery.begun' });
    roster.wish('activity');
    enqueue.raise({ type: 'batch.due' });
  }),
  silenceFleet: enqueueActions(({ context: { roster }, enqueue }) => {
    roster.wish('silence');
    enqueue.raise({ type: 'batch.due' });
  }),
  /** In a cluster, the last requests of the previous leader may still be applied. */
  distrustServers: enqueueActions(({ context: { roster, isSuccessor }, enqueue }) => {
    if (!isSuccessor) return;
    for (const { ref } of roster) enqueue.sendTo(ref, { type: 'predecessor.failed' });
  }),
  tellBatch: enqueueActions(({ context: { roster }, enqueue }) => {
    const type = roster.wished === 'activity' ? 'activation.requested' : 'deactivation.requested';
    for (const { ref } of roster.takeUntold(batch.size)) enqueue.sendTo(ref, { type });
    enqueue.cancel('batch');
    if (roster.hasUntold)
      enqueue.raise({ type: 'batch.due' }, { id: 'batch', delay: batch.pauseMs });
  }),
  countUpdateViewers: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['updates.watched', 'updates.unwatched']);
    const before = context.updateViewers;
    const updateViewers = Math.max(0, before + (event.type === 'updates.watched' ? 1 : -1));
    enqueue.assign({ updateViewers });
    if (before > 0 === updateViewers > 0) return;
    const type = updateViewers > 0 ? 'updates.wished' : 'updates.unwished';
    for (const { ref } of context.roster) enqueue.sendTo(ref, { type });
  }),

  addServers: enqueueActions(({ context, event, enqueue }) => {
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
        addServer(context, (options) => spawn('pubSubServer', options), about);
        return {};
      });
      if (context.isSuccessor) enqueue.sendTo(`server:${server}`, { type: 'predecessor.failed' });
    }
  }),
  removeExcessCandidates: enqueueActions(({ context, enqueue }) => {
    while (context.roster.candidates > candidates.max) {
      const oldest = context.roster.oldestCandidate();
      if (oldest) enqueue.stopChild(removeServer(context, oldest));
    }
  }),
  /** An unknown server that posts becomes a candidate. It may have been removed earlier. */
  addUnknownPosters: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'deltas.received');
    const unknown = new Set<ServerId>();
    for (const { server } of event.posts) if (!context.roster.get(server)) unknown.add(server);
    const servers = [...unknown];
    if (servers.length > 0)
      enqueue.raise({ type: 'servers.found', servers, standing: 'candidate' });
  }),

  noteReport: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'server.reported');
    const { server, status, failures } = event;
    context.roster.report(server, status, failures);
    const member = context.roster.get(server);
    if (member?.standing === 'candidate' && failures >= candidates.failureLimit)
      enqueue.stopChild(removeServer(context, member));
  }),
  /** A candidate that answers is a pub-sub server. */
  noteAnswer: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'server.answered');
    const { server } = event;
    context.roster.prove(server);
    if (context.roster.get(server)?.standing !== 'candidate') return;
    context.roster.promote(server, 'found');
    enqueue.raise({ type: 'batch.due' });
    enqueue.sendTo('discovery', { type: 'server.proved', server });
  }),
  /** Keeps configured servers, and those that a source of discovery still names. */
  removeLost: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'server.lost');
    const member = context.roster.get(event.server);
    if (member?.standing !== 'found' || member.naming === 'named') return;
    enqueue.stopChild(removeServer(context, member));
    enqueue.sendTo('discovery', { type: 'server.forgotten', server: event.server });
  }),
  /** Removes servers that no source of discovery names any longer and that do not answer. */
  removeVanished: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'servers.discovered');
    context.roster.name(event.servers, event.fromRooms);
    for (const member of context.roster.vanished()) {
      enqueue.stopChild(removeServer(context, member));
      enqueue.sendTo('discovery', { type: 'server.forgotten', server: member.server });
    }
  }),
};
