import { describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { DivergenceNews } from '../../../../server/rooms/watching/divergenceNews.js';

const named = (servers: string) => servers.split('').map((server) => ({ server }));

/** Rounds as `flagged found read`, each a word of servers with names of one letter; `-`: none. */
function toldOf(...rounds: string[]): string[] {
  const told: string[] = [];
  const news = new DivergenceNews((differing) => told.push(differing.join('')));
  for (const round of rounds) {
    const [flagged = '', found = '', read = ''] = round.replaceAll('-', '').split(' ');
    news.noteRound({
      flagged: named(flagged),
      found: named(found),
      read: read.split('') as ServerId[],
    });
  }
  return told;
}

describe('DivergenceNews', () => {
  test('tells once that servers differ, and once that they agree', () => {
    expect(toldOf('- - ab', '- b ab', 'b b ab', 'b b ab', '- - ab', '- - ab')).toEqual(['b', '']);
  });

  test('does not take a server that was not read for one that agrees', () => {
    expect(toldOf('b b ab', '- - a', '- - a')).toEqual(['b']);
    expect(toldOf('b b ab', '- - a', '- - ab')).toEqual(['b', '']);
  });

  test('does not take a server for one that agrees while it lacks something newer', () => {
    expect(toldOf('b b ab', '- b ab', '- - ab')).toEqual(['b', '']);
  });
});
