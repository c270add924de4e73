import './styles.css';
import { render } from 'preact';
import { session } from './api.js';
import { App } from './app.js';
import { applyTheme } from './keys/theme.js';
import { takeEvents } from './model/activityLog.js';
import { applyFleetUpdate, applyStreamStatus } from './model/fleet.js';
import { startFilling } from './model/past.js';
import { startPolling } from './model/polling.js';
import { keepPlaces } from './scrollPlaces.js';
import { loadSession } from './session/session.js';
import { connectFleet } from './stream/connection.js';

applyTheme();
render(<App />, document.getElementById('app') as HTMLElement);
keepPlaces();
startPolling();
startFilling();
void start();

/** Not awaited: the chunks of views import from this one, and would wait until it has been evaluated. */
async function start(): Promise<void> {
  await loadSession();
  await connectFleet({
    onUpdate: applyFleetUpdate,
    onActivity: takeEvents,
    onStatus: applyStreamStatus,
    hasAccess: () => session.value?.signedIn ?? false,
  });
}
