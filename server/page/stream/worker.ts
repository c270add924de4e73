import { Hub } from './hub.js';
import type { Port, ToHub, ToTab } from './messages.js';

/** The part of `SharedWorkerGlobalScope` used here. TypeScript's DOM library lacks it. */
interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const hub = new Hub();
(globalThis as unknown as SharedWorkerScope).onconnect = ({ ports: [port] }) => {
  if (port) hub.connect(port as Port<ToTab, ToHub>);
};
