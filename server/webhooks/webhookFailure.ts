/** An attempt that failed. The message is the reason, without secrets. */
export class WebhookFailure extends Error {
  override readonly name = 'WebhookFailure';
  /** How long the receiver asks to wait; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
