import type { Connection, Opener } from './opener.js';
import { Failure } from './verdict.js';

/** The connections of a run. Its owner closes them all. */
export class Connections {
  readonly opener: Opener;
  readonly #open = new Set<Connection>();

  constructor(opener: Opener) {
    this.opener = opener;
  }

  /** Opens a connection. Throws a `Failure` if the server refuses it. */
  async open(room: string): Promise<Connection> {
    try {
      const connection = await this.opener.open(room);
      this.#open.add(connection);
      return connection;
    } catch (cause) {
      throw new Failure(`no connection to '${room}': ${(cause as Error).message}`);
    }
  }

  /** Opens one connection to each room, all at once: a server may refuse some, or never answer to them. */
  async openEach(rooms: readonly string[]): Promise<{ accepted: string[]; refused: string[] }> {
    const [accepted, refused]: [string[], string[]] = [[], []];
    const one = (room: string) =>
      this.open(room).then(
        () => accepted.push(room),
        () => refused.push(room),
      );
    await Promise.all(rooms.map(one));
    return { accepted, refused };
  }

  /** Resolves when the connection is closed. */
  async close(connection: Connection): Promise<void> {
    this.#open.delete(connection);
    await connection.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => this.close(connection)));
  }
}
