/** An error response. */
export interface Refusal {
  /** A code of the service (docs/protocol.md, "Errors"); `unexpected`: the response is not from the service. */
  readonly code: string;
  readonly message: string;
  /** Seconds to wait before a retry; undefined: not stated. */
  readonly retryAfterSeconds: number | undefined;
}

/** Reads an error response. Without an error code, it is not from the service. */
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
