import { type Environment, readVariable } from './readVariable.js';

/** Variables of the Symphony dashboard service, and the variables that replace them; one of those is enough. */
export const oldVariables: Readonly<Record<string, readonly [string, ...string[]]>> = {
  WS_CLUSTER: ['ECS_CLUSTER'],
  WS_SERVICE: ['ECS_SERVICE'],
  WS_PORT: ['PUBSUB_PORT'],
  REGION: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
};

/** A warning for each old variable that is set without its replacement. */
export function warnOfOldVariables(env: Environment): string[] {
  const isSet = (name: string) => readVariable(env, name).text !== undefined;
  return Object.entries(oldVariables)
    .filter(([old, replacements]) => isSet(old) && !replacements.some(isSet))
    .map(
      ([old, [replacements]]) =>
        `${old} is ${JSON.stringify(readVariable(env, old).text)}, and this service does not read it: set ${replacements} (docs/migrate-from-symphony.md)`,
    );
}
