/** Two workers of a cluster, each with an agent. The primary prints what they say. */
import cluster from 'node:cluster';
import process from 'node:process';
import { createAgent } from '../../../server/agent/createAgent.js';

if (cluster.isPrimary) {
  for (let count = 0; count < 2; count += 1) {
    cluster.fork().on('message', (ready) => process.send?.(ready));
  }
  process.on('disconnect', () => process.exit());
} else {
  const documents = { connections: () => [], encodedState: () => undefined };
  const agent = createAgent({ url: process.argv[2] ?? '', documents });
  process.send?.(await agent.start());
  process.on('disconnect', () => process.exit());
}
