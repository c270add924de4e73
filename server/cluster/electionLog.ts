import type { Logger } from 'pino';
import type { ElectionEvent } from '../../machines/ports.js';

const messages: Record<ElectionEvent['type'], string> = {
  'leader.seen': 'another instance leads',
  'leader.gone': 'no instance leads',
  'lease.taken': 'this instance leads',
  'lease.lost': 'this instance no longer leads',
  'redis.lost': 'the Redis of the cluster does not answer',
  'redis.answered': 'the Redis of the cluster answers again',
};

/** Logs each change of who leads, with its reason. */
export class ElectionLog {
  readonly #log: Logger;
  /** The leader that was logged last. */
  #leader = '';

  constructor(log: Logger) {
    this.#log = log;
  }

  note(event: ElectionEvent): void {
    if (event.type === 'leader.seen') {
      this.#noteLeader(event.leader);
      return;
    }
    this.#leader = '';
    const { type, ...facts } = event;
    const level = type === 'redis.lost' ? 'warn' : 'info';
    this.#log[level](facts, messages[type]);
  }

  /** A leader is seen again when its activity changes. */
  #noteLeader({
    instance,
    term,
    url,
  }: Extract<ElectionEvent, { leader: unknown }>['leader']): void {
    const leader = JSON.stringify([instance, term, url]);
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#log.info({ instance, term, url }, messages['leader.seen']);
  }
}
