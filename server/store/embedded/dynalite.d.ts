declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** An HTTP server that speaks DynamoDB; closing it closes its database. In memory without a `path`. */
  export default function dynalite(options?: {
    /** Folder of the LevelDB database; made when it is absent. */
    path?: string;
    /** How long a table stays in CREATING. */
    createTableMs?: number;
  }): Server;
}
