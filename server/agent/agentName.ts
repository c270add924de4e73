import cluster from 'node:cluster';
import { hostname } from 'node:os';
import process from 'node:process';

/** The default name of this server: the host, with the number of the worker if there are several. */
export function agentName(): string {
  const worker = process.env.NODE_APP_INSTANCE || cluster.worker?.id;
  return worker === undefined ? hostname() : `${hostname()}#${worker}`;
}
