import type Router from '@koa/router';
import type { Context } from 'koa';
import { Beats, beatFrame, type LeadingFeed } from '../../cluster/relay/beats.js';
import { instanceEventsPath } from '../../cluster/relay/httpUpstream.js';
import { heartbeatFrame } from '../../sse/frames.js';
import { Viewer } from '../../sse/viewer.js';
import type { Clock } from '../../timing/clock.js';
import { noLeader } from '../forwardToLeader.js';
import { sendCounts } from './streams.js';

/** What the stream for other instances needs. */
export interface InstanceEventNeeds {
  /** Undefined: this instance does not lead. */
  leading: () => LeadingFeed | undefined;
  clock: Clock;
}

/**
 * `GET /api/instances/events`: the leader's changes for the relays of other instances of the cluster, with a
 * beat every half second while it leads. These streams are not counted as viewers, but keep the fleet active.
 */
export function instanceEventRoutes(router: Router, { leading, clock }: InstanceEventNeeds): void {
  router.get(instanceEventsPath, (ctx) => {
    const feed = leading();
    if (!feed?.isHeld()) throw noLeader();
    if (ctx.method === 'HEAD') answerHead(ctx);
    else follow(ctx, feed, clock);
  });
}

function answerHead(ctx: Context): void {
  ctx.status = 200;
  ctx.type = 'text/event-stream';
}

function follow(ctx: Context, leading: LeadingFeed, clock: Clock): void {
  const viewer = new Viewer(ctx);
  const beats = new Beats(leading, clock, {
    viewer,
    beat: (term) => viewer.send(beatFrame(term)),
    progress: () => viewer.send(heartbeatFrame),
  });
  beats.start();
  viewer.onGone(() => beats.stop());
  sendCounts(viewer, leading, { kind: 'changes', lastEventId: ctx.get('Last-Event-ID') });
}
