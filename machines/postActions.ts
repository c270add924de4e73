import { assertEvent } from 'xstate';
import { type ActivationContext, activationSetup } from './activationSetup.js';
import type { ServerId } from './ports.js';
import type { Member } from './roster.js';

const { enqueueActions } = activationSetup;

/** The servers that may have sent a post. After a start-up query only the sender's host is certain. */
function sendersOf(
  { roster }: ActivationContext,
  server: ServerId,
  fromStartup: boolean,
): Member[] {
  if (fromStartup) return roster.ofSameHost(server);
  const member = roster.get(server);
  return member ? [member] : [];
}

/** Actions about what servers post: counting it, and telling a server's actor of evidence against it. */
export const postActions = {
  recordDeltas: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'deltas.received');
    for (const [server, finding] of context.tally.recordAll(event.posts)) {
      const isSuperseded = finding === 'superseded';
      const type = isSuperseded ? 'evidence.found' : 'doubt.raised';
      for (const { ref } of sendersOf(context, server, isSuperseded)) enqueue.sendTo(ref, { type });
    }
    for (const server of context.tally.takePosters()) {
      const member = context.roster.get(server);
      if (member) enqueue.sendTo(member.ref, { type: 'post.received' });
    }
  }),
  /** A server that posts while nobody watches is silenced again, unless that is under way. */
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
  forwardEvidence: enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['evidence.found', 'startup.answered']);
    for (const server of event.servers) {
      const member = context.roster.get(server);
      if (member) enqueue.sendTo(member.ref, { type: event.type });
    }
  }),
};
