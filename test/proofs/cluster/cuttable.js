/**
 * Loaded into an instance before it starts: cuts it off from ports when its parent says so. To connect then
 * takes forever, as through a network that drops every packet. Connections from there still arrive.
 */
import { Socket } from 'node:net';

let cut = new Set();
process.on('message', (message) => {
  if (message?.type === 'cut') cut = new Set(message.ports);
});

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  return cut.has(portOf(args[0])) ? this : connect.apply(this, args);
};

/** `http.request` gives an array of options and callback, others give options, or the port. */
function portOf(first) {
  const options = Array.isArray(first) ? first[0] : first;
  return Number(typeof options === 'object' ? options?.port : options);
}
