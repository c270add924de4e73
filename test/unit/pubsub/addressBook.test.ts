import { networkInterfaces } from 'node:os';
import { beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { type Member, Roster } from '../../../machines/roster.js';
import { parseNetworks } from '../../../server/addresses.js';
import { AddressBook } from '../../../server/pubsub/addressBook.js';

const named = 'pubsub.internal:8001' as ServerId;
const numbered = '10.0.0.3:8001' as ServerId;
const neighbour = '10.0.0.3:8002' as ServerId;
const ownPort = 8000;

let book: AddressBook;
beforeEach(() => {
  book = new AddressBook({ networks: parseNetworks('10.0.0.0/8,127.0.0.0/8'), ownPort });
});

/** What the book reads of a roster: which servers are in it. */
function rosterOf(...servers: ServerId[]): Roster {
  const roster = new Roster();
  const ref = {} as Member['ref'];
  for (const server of servers) roster.add({ server, ref, standing: 'configured' });
  return roster;
}

test('servers are found by the address in their name, and by the addresses that it resolved to', () => {
  const roster = rosterOf(named, numbered, neighbour);
  expect(book.serversAt('10.0.0.3', roster)).toEqual([numbered, neighbour]);
  expect(book.serversAt('10.0.0.7', roster)).toEqual([]);
  book.note(named, ['10.0.0.7', '10.0.0.3']);
  expect(book.serversAt('10.0.0.7', roster)).toEqual([named]);
  expect(book.serversAt('10.0.0.3', roster)).toEqual([named, numbered, neighbour]);
  book.note(named, ['10.0.0.8']);
  expect(book.serversAt('10.0.0.7', roster)).toEqual([]);
  expect(book.serversAt('10.0.0.8', roster)).toEqual([named]);
});

test('the addresses of a server are forgotten with the server', () => {
  book.note(named, ['10.0.0.7']);
  expect(book.serversAt('10.0.0.7', rosterOf(numbered))).toEqual([]);
  expect(book.serversAt('10.0.0.7', rosterOf(named))).toEqual([]);
});

const ownAddresses = Object.values(networkInterfaces()).flatMap((entries = []) =>
  entries.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
);

test.each(['0.0.0.0', '0.1.2.3', '::'])(
  '%s is never contacted, even inside the networks',
  (address) => {
    book = new AddressBook({ networks: parseNetworks('0.0.0.0/0,::/0'), ownPort });
    expect(book.mayContact(address, ownPort)).toBe(false);
    expect(book.mayContact(address, ownPort + 1)).toBe(false);
  },
);

test.each([...new Set(['127.0.0.1', '127.9.9.9', ...ownAddresses])])(
  'this service does not contact its own port at %s, but other ports',
  (address) => {
    book = new AddressBook({ networks: parseNetworks('0.0.0.0/0,::/0'), ownPort });
    expect(book.mayContact(address, ownPort)).toBe(false);
    expect(book.mayContact(address, ownPort + 1)).toBe(true);
  },
);

test('addresses outside the networks are no servers, and are not contacted', () => {
  expect([book.mayBePubSubServer('10.9.9.9'), book.mayContact('10.9.9.9', ownPort)]).toEqual([
    true,
    true,
  ]);
  expect([book.mayBePubSubServer('11.0.0.1'), book.mayContact('11.0.0.1', 8001)]).toEqual([
    false,
    false,
  ]);
});
