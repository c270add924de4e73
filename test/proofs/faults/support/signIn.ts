import { expect } from '@jest/globals';

/** Signs in as the page does. Resolves with the headers of its further requests. */
export async function signIn({ url }: { url: string }, token: string) {
  const answer = await fetch(`${url}/api/session`, {
    method: 'POST',
    body: JSON.stringify({ token }),
    headers: { 'Content-Type': 'application/json', Origin: url, Connection: 'close' },
  });
  expect(answer.status).toBe(204);
  const [cookie = ''] = answer.headers.get('set-cookie')?.split(';', 1) ?? [];
  return { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' };
}
