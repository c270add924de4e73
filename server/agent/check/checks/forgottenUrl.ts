import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { expect } from '../verdict.js';
import { failPostsTo } from './failingPosts.js';

/** Whether a server stops when the service does not know its URL. */
export const forgottenUrls: Check[] = [
  {
    id: 'forgotten-url',
    level: 'SHOULD',
    section: 'post-to-the-events-url',
    expects: 'a URL that is answered 404 is not posted to any more',
    needs: ['silent-when-inactive'],
    run: forgottenUrl,
  },
];

async function forgottenUrl(bench: Bench): Promise<string> {
  const epoch = await bench.activate();
  failPostsTo(bench, epoch, () => 404);
  const posts = () => bench.postsTo(epoch).length;
  // The server learns of the first answer while it posts: only later connections count.
  for (let time = 1; time <= 4; time += 1) {
    const before = posts();
    const connection = await bench.connections.open(bench.room('forgotten'));
    if (time === 1)
      await bench.until(
        () => posts() > before,
        () => 'nothing was posted',
      );
    await bench.connections.close(connection);
  }
  const room = bench.room('later');
  await bench.connections.open(room);
  const next = await bench.activate();
  await bench.barrier(next);
  expect(bench.sum(room, 0, next.number) === 0, `it goes on: ${posts()} posts were answered 404`);
  await bench.untilCount(room, next, 1);
  return 'it stops';
}
