/** Answer of `GET /api/session`. */
export interface SessionState {
  /** Whether the service requires signing in. */
  required: boolean;
  /** Whether this request is authenticated, or needs no authentication. */
  signedIn: boolean;
  /** Whether a token signs in. False: only a proxy does, or nothing is required. */
  byToken: boolean;
  /** Who signed in at the proxy; null: nobody did. */
  user: string | null;
  /** Where that person signs out; null: nobody did sign in there, or it is not configured. */
  signOutUrl: string | null;
  /** Whether viewers see documents, logs of updates, and people (`SHOW_CONTENT`). */
  showsContent: boolean;
}
