import { Hub } from './hub.js';
import type { Port, ToHub, ToTab } from './messages.js';

/** What is needed here of the scope of a shared worker; the library of DOM types has another's. */
interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const hub = new Hub();
(globalThis as unknown as SharedWorkerScope).onconnect = ({ ports: [port] }) => {
  if (port) hub.connect(port as Port<ToTab, ToHub>);
};
