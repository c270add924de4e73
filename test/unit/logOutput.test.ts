import { describe, expect, test } from '@jest/globals';
import { LogOutput, type Write } from '../../server/logOutput.js';
import { eventually } from '../support/eventually.js';

/** A file descriptor in the hands of a test. */
class Descriptor {
  #bytes = Buffer.alloc(0);
  /** What the next writes fail with. */
  error: NodeJS.ErrnoException | undefined;
  /** The most that one write takes. */
  most = Number.POSITIVE_INFINITY;
  isStuck = false;
  readonly #stuck: (() => void)[] = [];

  readonly write: Write = (bytes, done) => {
    const finish = () => {
      if (this.error) return done(this.error, 0);
      const written = bytes.subarray(0, this.most);
      this.#bytes = Buffer.concat([this.#bytes, written]);
      done(null, written.length);
    };
    if (this.isStuck) this.#stuck.push(finish);
    else setImmediate(finish);
  };

  get text(): string {
    return this.#bytes.toString();
  }

  release(): void {
    this.isStuck = false;
    for (const finish of this.#stuck.splice(0)) finish();
  }
}

const failure = (code: string) => Object.assign(new Error(code), { code });
const line = (index: number) => `${String(index).padStart(6, '0')}${'x'.repeat(93)}\n`;

function outputTo(descriptor: Descriptor) {
  const output = new LogOutput(descriptor.write);
  // As long as a line of the log is: it must not be lost itself.
  output.onLost = (lines) => output.write(`lost ${lines} ${'y'.repeat(200)}\n`);
  return output;
}

test('lines are written whole and in order, even a few bytes at a time', async () => {
  const descriptor = new Descriptor();
  descriptor.most = 7;
  const output = outputTo(descriptor);
  const lines = Array.from({ length: 50 }, (_, index) => `${index} ö\n`);
  for (const each of lines) output.write(each);
  await output.flush(10_000);
  expect(descriptor.text).toBe(lines.join(''));
});

describe('while nothing can be written', () => {
  test.each(['stuck', 'full'])(
    'because the reader or disk is %s, 1 MiB is kept and the rest is counted',
    async (how) => {
      const descriptor = new Descriptor();
      descriptor.isStuck = how === 'stuck';
      if (how === 'full') descriptor.error = failure('ENOSPC');
      const output = outputTo(descriptor);
      const count = 30_000;
      for (let index = 0; index < count; index += 1) output.write(line(index));
      await new Promise((resolve) => setImmediate(resolve));
      descriptor.error = undefined;
      descriptor.release();
      await eventually(() => expect(descriptor.text).toMatch(/^lost \d+ /m));
      const [, lost] = /^lost (\d+) /m.exec(descriptor.text) ?? [];
      await eventually(async () => {
        await output.flush(10);
        const kept = descriptor.text.split('\n').filter((each) => /^\d{6}x/.test(each));
        expect(kept.length + Number(lost)).toBe(count);
        expect(kept.length).toBeGreaterThan(10_000);
        expect(kept.length).toBeLessThan(11_500);
        expect(kept).toEqual(kept.map((_, index) => line(index).trimEnd()));
      });
      expect(descriptor.text.match(/^lost/gm)).toHaveLength(1);
    },
  );

  test('a flush ends at its deadline if the reader hangs, and at once if a write fails', async () => {
    const descriptor = new Descriptor();
    descriptor.isStuck = true;
    const output = outputTo(descriptor);
    output.write(line(0));
    await output.flush(50);
    expect(descriptor.text).toBe('');
    descriptor.error = failure('EPIPE');
    descriptor.release();
    await output.flush(60_000);
    expect(descriptor.text).toBe('');
    descriptor.error = undefined;
    await output.flush(60_000);
    expect(descriptor.text).toBe(line(0));
  });
});

test('a write that throws counts as failed', async () => {
  let attempts = 0;
  const output = new LogOutput(() => {
    attempts += 1;
    throw failure('EBADF');
  });
  output.write('a\n');
  output.write('b\n');
  await output.flush(60_000);
  expect(attempts).toBe(2);
});
