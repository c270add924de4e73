import { useState } from 'preact/hooks';
import { ApiFailure, request } from '../api.js';

/** The way to the Stately inspector; whether it is switched on is asked when somebody wants to know. */
export function InspectorHint() {
  const [answer, setAnswer] = useState<'on' | 'off' | string>();
  const ask = async () => {
    if (answer === 'on') return;
    setAnswer(await inspectorAnswer());
  };
  return (
    <details
      class="card machines-inspector"
      onToggle={({ currentTarget }) => currentTarget.open && void ask()}
    >
      <summary>Follow every event in the Stately inspector</summary>
      {answer === 'on' && (
        <p>
          <a href="inspect">Open the inspector</a>. It says what it sends to stately.ai before it
          does.
        </p>
      )}
      {answer === 'off' && (
        <p class="quiet">
          It is switched off, and then costs nothing. Start the service with{' '}
          <code>INSPECT=true</code> to have it.
        </p>
      )}
      {answer !== 'on' && answer !== 'off' && <p class="quiet">{answer ?? 'Asking …'}</p>}
    </details>
  );
}

async function inspectorAnswer(): Promise<string> {
  try {
    await request('inspect');
    return 'on';
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return error.status === 404 ? 'off' : error.message;
  }
}
