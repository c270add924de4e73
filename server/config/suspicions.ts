/** Warnings about variables that are valid, but probably not what was meant. */

import leven from 'leven';
import { oldVariables } from './oldVariables.js';
import { type Environment, readVariable } from './readVariable.js';
import { variables } from './variables.js';

const leastTokenLength = 16;
const names: readonly string[] = variables.map(({ name }) => name);
/** Kubernetes and Docker set these for a service called `pubsub`: `PUBSUB_SERVICE_HOST`, `PUBSUB_PORT_8001_TCP`. */
const serviceLink = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/;

/** A sentence for each suspicion, without values. */
export function suspicionsOf(env: Environment): string[] {
  return [...misspelt(env), ...shortTokens(env)];
}

/** Variables that nobody reads and that look like one of ours that is unset. */
function misspelt(env: Environment): string[] {
  const unset = names.filter((name) => readVariable(env, name).text === undefined);
  return Object.keys(env)
    .filter((name) => !names.includes(name) && !(name in oldVariables) && !serviceLink.test(name))
    .filter((name) => readVariable(env, name).text !== undefined)
    .flatMap((name) => {
      const meant = closest(name, unset);
      return meant === undefined
        ? []
        : [`${name} is not a variable of this service: did you mean ${meant}?`];
    });
}

/** The name that is written almost like this one. */
function closest(written: string, candidates: readonly string[]): string | undefined {
  const letters = lettersOf(written);
  const distances = candidates.map((name) => ({ name, distance: leven(letters, lettersOf(name)) }));
  const [best] = distances.sort((one, other) => one.distance - other.distance);
  return best && best.distance <= mistakesIn(letters) ? best.name : undefined;
}

const lettersOf = (name: string) => name.toUpperCase().replaceAll(/[^A-Z\d]/g, '');

/** Short names are too similar to those of other programs. */
function mistakesIn({ length }: string): number {
  if (length < 6) return 0;
  if (length < 8) return 1;
  return length < 12 ? 2 : 3;
}

/** Tokens that can be guessed. Secrets that are too short are refused. */
function shortTokens(env: Environment): string[] {
  return ['DASHBOARD_TOKEN', 'METRICS_TOKEN']
    .filter((name) => (readVariable(env, name).text?.length ?? leastTokenLength) < leastTokenLength)
    .map(
      (name) =>
        `${name} has fewer than ${leastTokenLength} characters, so it can be guessed: make a random one, such as with openssl rand -base64 32`,
    );
}
