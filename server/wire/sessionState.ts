/** Answer of `GET /api/session`. */
export interface SessionState {
  /** Whether the service requires a token. */
  required: boolean;
  /** Whether this request is authenticated, or needs no authentication. */
  signedIn: boolean;
}
