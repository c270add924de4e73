/** The capabilities in a header `Dashboard-Agent`. Undefined: it is not valid. */
export function capabilitiesIn(header: string): ReadonlySet<string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    return undefined;
  }
  const { capabilities } = Object(value) as { capabilities?: unknown };
  const isValid =
    Array.isArray(capabilities) && capabilities.every((item) => typeof item === 'string');
  return isValid ? new Set(capabilities as string[]) : undefined;
}
