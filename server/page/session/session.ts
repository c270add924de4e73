import { signal } from '@preact/signals';
import type { SessionState } from '../../wire/sessionState.js';
import { ApiFailure, getJson, noteSignedOut, request, session } from '../api.js';
import { announceSignIn, announceSignOut } from '../stream/connection.js';

/** Why `loadSession` has failed so far; undefined: it has not. */
export const sessionFailure = signal<string | undefined>(undefined);

const retryMs = 2000;

/** Asks who this browser is to the service. Retries until the service answers. */
export async function loadSession(): Promise<void> {
  for (;;) {
    try {
      session.value = await getJson<SessionState>('api/session');
      sessionFailure.value = undefined;
      return;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      sessionFailure.value = error.message;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

/** Signs in all tabs. Throws `ApiFailure` if the service refuses the token. */
export async function signIn(token: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  await request('api/session', { method: 'POST', headers, body: JSON.stringify({ token }) });
  await loadSession();
  announceSignIn();
}

/** Signs out all tabs. Throws `ApiFailure` if the service does not answer. */
export async function signOut(): Promise<void> {
  await request('api/session', { method: 'DELETE' });
  noteSignedOut();
  announceSignOut();
}
