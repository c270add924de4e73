/** Why a request was refused. */
export interface Refusal {
  /** The service's own (docs/protocol.md, "Errors"); `unexpected`: the service did not write the answer. */
  readonly code: string;
  readonly message: string;
  /** How long to wait before the next try; undefined: the answer does not say. */
  readonly retryAfterSeconds: number | undefined;
}

/** Reads an answer that is no success. Only an error with a code of its own is the service's. */
export async function refusalOf(response: Response): Promise<Refusal> {
  const retryAfter = Number(response.headers.get('Retry-After'));
  const retryAfterSeconds = retryAfter > 0 ? retryAfter : undefined;
  const { code, message } = errorOf(await response.json().catch(() => undefined));
  if (typeof code === 'string' && typeof message === 'string')
    return { code, message, retryAfterSeconds };
  const proxy = `A proxy in front of the service answered ${response.status}`;
  return { code: 'unexpected', message: proxy, retryAfterSeconds };
}

function errorOf(body: unknown): { code?: unknown; message?: unknown } {
  const { error } = (body ?? {}) as { error?: unknown };
  return typeof error === 'object' && error !== null ? error : {};
}
