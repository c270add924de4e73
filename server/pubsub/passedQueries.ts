import { z } from 'zod';
import type { Leader } from '../../machines/ports.js';
import { queryShape } from '../cluster/inbox.js';
import { parseJson } from '../parseJson.js';
import type { StartupAnswer, StartupQuery } from './startupQuery.js';

/** What passing queries on needs of the rest of the service. */
export interface PassedQueriesNeeds {
  /** Sends a signed POST to the leader. Rejects if there is no whole answer within a deadline. */
  ask: (leader: Leader, path: string, body: string) => Promise<{ status: number; body: string }>;
}

/** Where an instance answers the start-up queries that others pass on. */
export const passedQueriesPath = '/api/instances/queries';
const maxUrlLength = 2048;

const passed = queryShape.extend({ postsUrl: z.string().max(maxUrlLength).optional() });
const answer = z.object({ active: z.boolean(), eventsUrl: z.string() });

/** Reads the body of a request to `passedQueriesPath`; undefined: it is none. */
export function parsePassedQuery(body: string): StartupQuery | undefined {
  return passed.safeParse(parseJson(body)).data;
}

/** Passes start-up queries on to the leader, which knows who has sent them and what is to be done. */
export class PassedQueries {
  readonly #needs: PassedQueriesNeeds;

  constructor(needs: PassedQueriesNeeds) {
    this.#needs = needs;
  }

  /** The answer of the leader. Rejects if it does not lead, or does not answer. */
  async ask(
    leader: Leader,
    { localAddress, ...query }: StartupQuery,
    postsUrl: string | undefined,
  ): Promise<StartupAnswer> {
    const sent = JSON.stringify({ ...query, postsUrl });
    const { status, body } = await this.#needs.ask(leader, passedQueriesPath, sent);
    if (status !== 200) throw new Error(`answered ${status}`);
    return answer.parse(parseJson(body));
  }
}
