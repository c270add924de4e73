import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure, session } from '../api.js';
import { signIn } from './session.js';

/** How to sign in: with the token, or where there is none, at the proxy. */
export function SignIn() {
  return session.value?.byToken === false ? <AtProxy /> : <SignInForm />;
}

/** Only a proxy signs people in, and it has named nobody. A reload lets it ask. */
function AtProxy() {
  return (
    <div class="card sign-in" data-sign-in="proxy">
      <h1>Sign in</h1>
      <p class="quiet">
        This service is signed in to at the proxy in front of it, and that proxy did not say who you
        are. Reload the page to sign in there. If this page comes back, open the service by the
        address of its proxy, or ask the operator.
      </p>
      <button type="button" class="button primary" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

/** Asks for the token. The service answers with a session cookie. */
function SignInForm() {
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setIsBusy(true);
    const found = await problemOf(field.current?.value ?? '');
    setIsBusy(false);
    setProblem(found);
    if (found) field.current?.select();
  };
  return (
    <form class="card sign-in" onSubmit={submit} aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Sign in</h1>
      <p class="quiet">
        Enter the token of this service: the value of <code>DASHBOARD_TOKEN</code>. If you do not
        have it, ask the operator.
      </p>
      {/* Password managers need a user name to store a token. */}
      <input
        class="visually-hidden"
        type="text"
        name="username"
        autocomplete="username"
        value="pubsub-dashboard"
        tabIndex={-1}
        aria-hidden="true"
        readOnly
      />
      <div class="field">
        <label for="token">Token</label>
        <input
          ref={field}
          id="token"
          name="token"
          class="input"
          type="password"
          autocomplete="current-password"
          required
          aria-invalid={problem !== ''}
          aria-describedby="sign-in-problem"
        />
      </div>
      <p id="sign-in-problem" class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="button primary" disabled={isBusy}>
        {isBusy ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  );
}

/** Signs in. Returns what went wrong; empty: nothing. */
async function problemOf(token: string): Promise<string> {
  try {
    await signIn(token);
    return '';
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    if (error.code === 'unauthorized') return 'Wrong token. Check it and try again.';
    if (error.status === 429) return tooMany(error.retryAfterSeconds);
    return `${error.message}.`;
  }
}

function tooMany(seconds: number | undefined): string {
  const when = seconds === undefined ? 'later' : `in ${seconds} s`;
  return `Too many attempts from your address. Try again ${when}.`;
}
