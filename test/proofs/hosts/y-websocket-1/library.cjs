const { docs, setPersistence, setupWSConnection } = require('y-websocket/bin/utils');
const { WebSocketServer } = require('ws');
const { applyUpdate, encodeStateAsUpdate } = require('yjs');

module.exports = {
  docs,
  setPersistence,
  setupWSConnection,
  WebSocketServer,
  applyUpdate,
  encodeStateAsUpdate,
};
