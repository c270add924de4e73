import type { Check } from '../check.js';
import { expect, Skip } from '../verdict.js';

/** Judged last: every post of the run was one that the service accepts. */
export const bodies: Check[] = [
  {
    id: 'bodies',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'each post has a valid body of JSON without a content encoding',
    run: async ({ listener: { posts } }) => {
      if (posts.length === 0) throw new Skip('nothing was posted');
      for (const { method, encoding, problem } of posts) {
        expect(method === 'POST', `a request ${method}`);
        expect(encoding === '', `Content-Encoding: ${encoding}`);
        expect(problem === undefined, `a body is ${problem}`);
      }
      return `${posts.length} posts`;
    },
  },
];
