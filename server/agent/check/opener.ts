import { endCommand, startCommand } from './commands.js';
import { openSocket, type Socket } from './webSocket.js';
import { authMessage, isAuthenticated, varString } from './yMessages.js';

/** A connection of a client to a room. */
export interface Connection {
  /** Sends a message of the y-websocket protocol. Absent: this client cannot. */
  send?(message: Uint8Array): void;
  /** Resolves when the client is gone. */
  close(): Promise<void>;
}

/** Opens connections to rooms of the server. */
export interface Opener {
  /** What names can be: request targets, any strings, or only plain ones, as the client may encode others. */
  readonly names: 'path' | 'any' | 'plain';
  /** How many connections to open and close in a check with many. */
  readonly many: number;
  /** Resolves when the connection is accepted, as far as a client can see. */
  open(room: string): Promise<Connection>;
}

/** Opens y-websocket connections: the name of the room is the path. */
export function yWebsocket(url: URL, withinMs: number): Opener {
  const path = `${url.pathname.replace(/\/$/, '')}/`;
  return {
    names: 'path',
    many: 200,
    open: (room) => openSocket(url, `${path}${room}${url.search}`, withinMs),
  };
}

/** Opens connections of the Hocuspocus protocol: the name of the room is in each message. */
export function hocuspocus(url: URL, withinMs: number, token: string): Opener {
  return {
    names: 'any',
    many: 200,
    open: async (room) => {
      const socket = await openSocket(url, `${url.pathname}${url.search}`, withinMs);
      const send = (message: Uint8Array) => socket.send(Buffer.concat([varString(room), message]));
      const answered = answerTo(socket, room, withinMs);
      send(authMessage(token));
      try {
        await answered;
      } catch (cause) {
        await socket.close();
        throw cause;
      }
      return { send, close: socket.close };
    },
  };
}

/** Resolves when the server has let the client in, and rejects if it has not. */
function answerTo(socket: Socket, room: string, withinMs: number): Promise<void> {
  const prefix = varString(room);
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`the server did not answer within ${withinMs} ms`));
    const timer = setTimeout(late, withinMs);
    socket.onMessage = (message) => {
      if (!message.subarray(0, prefix.length).equals(prefix)) return;
      const isIn = isAuthenticated(message.subarray(prefix.length));
      if (isIn === undefined) return;
      clearTimeout(timer);
      if (isIn) resolve();
      else reject(new Error('the server denied permission'));
    };
  });
}

/** Runs a command for each connection. `{room}` in it is the name, quoted for the shell. */
export function byCommand(command: string): Opener {
  return {
    names: 'plain',
    many: 12,
    open: async (room) => {
      const quoted = `'${room.replaceAll("'", `'\\''`)}'`;
      const child = startCommand(command.replaceAll('{room}', () => quoted));
      return { close: () => endCommand(child) };
    },
  };
}
