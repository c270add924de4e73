import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const page = await readFile(new URL('docs/troubleshoot.md', root), 'utf8');

/** All sources of the service as one text, without line breaks and without the seams of long texts. */
async function sourceText(): Promise<string> {
  const files = await readdir(new URL('server', root), { recursive: true });
  const sources = files.filter((file) => /\.tsx?$/.test(file) && !file.startsWith('demo'));
  const texts = await Promise.all(
    sources.map((file) => readFile(new URL(`server/${file}`, root), 'utf8')),
  );
  return texts
    .join('\n')
    .replace(/['`]\s*\+\s*['`]/g, '')
    .replace(/\s+/g, ' ');
}

/** The messages in the first cells of the tables: code with a blank in it. */
const messages = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .flatMap((line) => (line.split(' | ')[0] ?? '').split('`').filter((_, index) => index % 2 === 1))
  .filter((code) => code.includes(' '));

test('docs/troubleshoot.md quotes messages that the service has', async () => {
  const text = await sourceText();
  expect(messages.length).toBeGreaterThan(30);
  const unknown = messages.filter(
    (message) => !message.split('…').every((part) => text.includes(part.trim())),
  );
  expect(unknown).toEqual([]);
});
