import { parseJson } from '../parseJson.js';
import type { InstanceRequests, Peer } from './instanceRequests.js';

const timeoutMs = 1000;

/** Asks all other instances the same question, about what only one of them has: a watched room. */
export class OtherInstances {
  readonly #requests: InstanceRequests;
  readonly #peers: () => readonly Peer[];

  /** `peers`: the other instances that are there. */
  constructor(requests: InstanceRequests, peers: () => readonly Peer[]) {
    this.#requests = requests;
    this.#peers = peers;
  }

  /** The answers that came within a second and are JSON. */
  async ask<Answer>(path: string): Promise<Answer[]> {
    const answers = await Promise.allSettled(
      this.#peers().map((peer) => this.#requests.ask(peer, path, { timeoutMs })),
    );
    return answers.flatMap((answer) => {
      if (answer.status === 'rejected' || answer.value.status !== 200) return [];
      const body = parseJson(answer.value.body);
      return body === undefined ? [] : [body as Answer];
    });
  }
}
