import { isOk } from '../bench.js';
import type { Check } from '../check.js';
import { expect } from '../verdict.js';

/** Whether the server answers what the service sends it. */
export const basics: Check[] = [
  {
    id: 'health',
    level: 'MUST',
    section: 'get-health',
    expects: 'GET /health is answered 2xx',
    run: async ({ server }) => {
      const answer = await server.send({ method: 'GET', target: '/health' });
      expect(isOk(answer), `${answer.status}`);
      return `${answer.status}`;
    },
  },
  {
    id: 'deactivation',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'active: false is answered 2xx',
    run: async (bench) => `${(await bench.deactivate()).status}`,
  },
  {
    id: 'activation',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'active: true is answered 2xx with a JSON array',
    run: async (bench) => {
      const { answer, snapshot } = await bench.activate();
      return `${answer.status}, ${snapshot.size} rooms`;
    },
  },
  {
    id: 'answer-type',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'the Content-Type of a snapshot contains json',
    needs: ['activation'],
    run: async (bench) => {
      const { answer } = await bench.activate();
      const type = answer.headers['content-type'] ?? 'none';
      expect(/json/i.test(type), `Content-Type: ${type}`);
      return type;
    },
  },
];
