import type { ServerId, SnapshotReason } from '../../machines/ports.js';
import { causeOf } from '../causeOf.js';

/**
 * Requests to pub-sub servers. `activate`: post, and tell the connections. `silence`: stop posting. `probe`: is it
 * there? `rooms`: the list of watched rooms. `state`: the document of a room.
 */
export const requestKinds = ['activate', 'silence', 'probe', 'rooms', 'state'] as const;

export type RequestKind = (typeof requestKinds)[number];

/** Why a server that is counted already is asked for its connections again. */
export type ResyncReason = Exclude<SnapshotReason, 'activation'>;

/** A request that has ended. */
export interface EndedRequest {
  server: ServerId;
  request: RequestKind;
  /** Since it was sent. */
  seconds: number;
  /** Why it failed; null: it was answered. */
  cause: string | null;
}

/** Is told of requests to pub-sub servers. */
export interface RequestMeter {
  ended(request: EndedRequest): void;
  resynced(reason: ResyncReason): void;
}

/** Makes a request, and tells the meter how it ended. One that its caller gave up is not told. */
export async function metered<Answer>(
  ask: () => Promise<Answer>,
  { server, request }: Pick<EndedRequest, 'server' | 'request'>,
  { meter, signal }: { meter: RequestMeter | undefined; signal: AbortSignal },
): Promise<Answer> {
  if (!meter) return ask();
  const startedAtMs = performance.now();
  const note = (cause: string | null) => {
    const seconds = (performance.now() - startedAtMs) / 1000;
    if (!signal.aborted) meter.ended({ server, request, seconds, cause });
  };
  try {
    const answer = await ask();
    note(null);
    return answer;
  } catch (error) {
    note(causeOf(error));
    throw error;
  }
}
