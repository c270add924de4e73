import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ScrapeViewer } from '../../../server/metrics/scrapeViewer.js';

let viewer: ScrapeViewer;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  viewer = new ScrapeViewer();
});
afterEach(() => {
  viewer.close();
  jest.useRealTimers();
});

function newFleet() {
  const fleet = {
    told: [] as string[],
    viewerConnected: () => fleet.told.push('connected'),
    viewerDisconnected: () => fleet.told.push('disconnected'),
  };
  return fleet;
}

test('a scrape is a viewer for as long as it says, and the next one goes on', () => {
  const fleet = newFleet();
  viewer.lead(fleet);
  expect(fleet.told).toEqual([]);
  viewer.look(1000);
  jest.advanceTimersByTime(900);
  viewer.look(1000);
  jest.advanceTimersByTime(900);
  expect(fleet.told).toEqual(['connected']);
  jest.advanceTimersByTime(100);
  expect(fleet.told).toEqual(['connected', 'disconnected']);
  viewer.look(1000);
  expect(fleet.told).toEqual(['connected', 'disconnected', 'connected']);
});

test('a follower remembers its scrapes until it leads', () => {
  viewer.look(1000);
  jest.advanceTimersByTime(500);
  const fleet = newFleet();
  viewer.lead(fleet);
  expect(fleet.told).toEqual(['connected']);
  jest.advanceTimersByTime(500);
  expect(fleet.told).toEqual(['connected', 'disconnected']);
});

test('a follower forgets scrapes that are too old', () => {
  viewer.look(1000);
  jest.advanceTimersByTime(1000);
  const fleet = newFleet();
  viewer.lead(fleet);
  expect(fleet.told).toEqual([]);
});

test('a fleet that has ended is told nothing, and the next one has the viewer', () => {
  const [first, second] = [newFleet(), newFleet()];
  viewer.lead(first);
  viewer.look(1000);
  viewer.lead(undefined);
  viewer.lead(second);
  jest.advanceTimersByTime(1000);
  expect(first.told).toEqual(['connected']);
  expect(second.told).toEqual(['connected', 'disconnected']);
});

test('no fleet is told anything after close', () => {
  const fleet = newFleet();
  viewer.lead(fleet);
  viewer.look(1000);
  viewer.close();
  jest.advanceTimersByTime(1000);
  expect(fleet.told).toEqual(['connected']);
});
