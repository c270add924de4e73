import { parseJson } from '../parseActivation.js';

/** The capabilities in a header `Dashboard-Agent`. Undefined: it is not valid. */
export function capabilitiesIn(header: string): ReadonlySet<string> | undefined {
  const { capabilities } = Object(parseJson(header)) as { capabilities?: unknown };
  const isValid =
    Array.isArray(capabilities) && capabilities.every((item) => typeof item === 'string');
  return isValid ? new Set(capabilities as string[]) : undefined;
}
