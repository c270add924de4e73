import type { Activation } from './agentTypes.js';

/** Reads an activation from JSON. Returns undefined for anything else. */
export function parseActivation(text: string): Activation | undefined {
  const { active, eventsUrl, updates } = Object(parseJson(text)) as Record<string, unknown>;
  if (typeof active !== 'boolean') return undefined;
  if (!isHttpUrl(eventsUrl)) return undefined;
  return { active, eventsUrl, ...(updates === true && { updates }) };
}

/** Reads the answer to a query: an inactive one needs no URL. */
export function parseAnswer(text: string): Activation | undefined {
  const { active } = Object(parseJson(text)) as Record<string, unknown>;
  return active === false ? { active, eventsUrl: '' } : parseActivation(text);
}

/** Whether this is an absolute URL of http or https. */
export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:/i.test(value) && URL.canParse(value);
}

/** The value of a JSON text; undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
