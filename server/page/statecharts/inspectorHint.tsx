import { useState } from 'preact/hooks';
import { ApiFailure, request } from '../api.js';

/** A link to the Stately inspector. Asks whether it is on only when opened. */
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
          <a href="inspect">Open the inspector</a>. Before it sends data to stately.ai, it tells you
          what it sends.
        </p>
      )}
      {answer === 'off' && (
        <p class="quiet">
          The inspector is off. To turn it on, start the service with <code>INSPECT=true</code>.
        </p>
      )}
      {answer !== 'on' && answer !== 'off' && <p class="quiet">{answer ?? 'Checking …'}</p>}
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
