/**
 * The limit of an activation: the same PUTs as the service sends, sixteen at a time, by got alone, in a
 * process of its own. As the service it first tells all to be silent.
 */
import got from 'got';
import { answerUsage } from '../usage.js';

const ports = JSON.parse(process.argv[2] ?? '[]') as number[];

async function put(port: number, active: boolean): Promise<void> {
  const json = { active, eventsUrl: 'http://127.0.0.1:1/' };
  const answer = await got.put(`http://127.0.0.1:${port}/api/dashboard`, {
    json,
    retry: { limit: 0 },
  });
  if (active) JSON.parse(answer.body);
}

async function putAll(active: boolean): Promise<void> {
  const rest = [...ports];
  const work = async () => {
    for (let port = rest.pop(); port !== undefined; port = rest.pop()) await put(port, active);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

await putAll(false);
process.on('message', async ({ type }: { type: string }) => {
  if (type !== 'activate') return;
  await putAll(true);
  process.send?.({ type });
});
answerUsage();
process.send?.({ type: 'listening' });
