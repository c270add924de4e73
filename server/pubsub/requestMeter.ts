import type { SnapshotReason } from '../../machines/ports.js';

/**
 * Requests to pub-sub servers. `activate`: post, and tell the connections. `silence`: stop posting. `probe`: is it
 * there? `rooms`: the list of watched rooms. `state`: the document of a room.
 */
export const requestKinds = ['activate', 'silence', 'probe', 'rooms', 'state'] as const;

export type RequestKind = (typeof requestKinds)[number];

/** Why a server that is counted already is asked for its connections again. */
export type ResyncReason = Exclude<SnapshotReason, 'activation'>;

/** Is told of requests to pub-sub servers. */
export interface RequestMeter {
  /** A request has ended. `seconds`: since it was sent. */
  ended(request: RequestKind, isAnswered: boolean, seconds: number): void;
  resynced(reason: ResyncReason): void;
}

/** Makes a request, and tells the meter how it ended. One that its caller gave up is not told. */
export async function metered<Answer>(
  ask: () => Promise<Answer>,
  request: RequestKind,
  { meter, signal }: { meter: RequestMeter | undefined; signal: AbortSignal },
): Promise<Answer> {
  if (!meter) return ask();
  const startedAtMs = performance.now();
  const note = (isAnswered: boolean) => {
    if (!signal.aborted) meter.ended(request, isAnswered, (performance.now() - startedAtMs) / 1000);
  };
  try {
    const answer = await ask();
    note(true);
    return answer;
  } catch (error) {
    note(false);
    throw error;
  }
}
