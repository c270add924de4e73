/** Body of every error answer. `code` is one of the catalogue in docs/protocol.md. */
export interface ErrorBody<Code extends string = string> {
  error: { code: Code; message: string; requestId: string };
}
