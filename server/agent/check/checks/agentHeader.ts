import type { Check } from '../check.js';
import { expect, Skip } from '../verdict.js';

const maxLength = 4 * 1024;

/** Whether a server says correctly what it is able to do. */
export const agentHeader: Check[] = [
  {
    id: 'agent-header',
    level: 'MUST',
    section: 'what-a-server-tells-of-itself',
    expects: 'the header Dashboard-Agent is JSON in ASCII, of at most 4 KiB, with capabilities',
    needs: ['activation'],
    run: async (bench) => {
      const { headers } = (await bench.activate()).answer;
      const text = headers['dashboard-agent']?.toString();
      if (text === undefined) throw new Skip('the server does not send it');
      expect(text.length <= maxLength, `it has ${text.length} bytes`);
      expect(/^[\x20-\x7e]*$/.test(text), 'it is not ASCII');
      expect(bench.capabilities !== undefined, `it is ${text.slice(0, 120)}`);
      return `capabilities: ${[...(bench.capabilities ?? [])].join(', ') || 'none'}`;
    },
  },
];
