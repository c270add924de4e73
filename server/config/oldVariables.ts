import { type Environment, readVariable } from './environment.js';

/** Variables of the Symphony dashboard service, and what this service reads in their place; any of these will do. */
export const oldVariables: Readonly<Record<string, readonly [string, ...string[]]>> = {
  WS_CLUSTER: ['ECS_CLUSTER'],
  WS_SERVICE: ['ECS_SERVICE'],
  WS_PORT: ['PUBSUB_PORT'],
  REGION: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
};

/** A warning for each of them that is set while ours is not: it has no effect. */
export function warnOfOldVariables(env: Environment): string[] {
  const isSet = (name: string) => readVariable(env, name).text !== undefined;
  return Object.entries(oldVariables)
    .filter(([old, ours]) => isSet(old) && !ours.some(isSet))
    .map(
      ([old, [ours]]) =>
        `${old} is ${JSON.stringify(readVariable(env, old).text)}, and this service does not read it: set ${ours} (docs/migrate-from-symphony.md)`,
    );
}
