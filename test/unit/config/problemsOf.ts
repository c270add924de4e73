import { ConfigError, readConfig } from '../../../server/config/config.js';

/** The problems of a configuration; none if it is valid. */
export function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
