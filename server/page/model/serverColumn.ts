/** Begins the names of numbers by server in the timeline of a room: `server 10.0.0.5:8001`. */
export const serverPrefix = 'server ';
