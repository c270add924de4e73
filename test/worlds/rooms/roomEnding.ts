import { requestMs, roomTiming } from './roomPlan.js';
import type { RoomWorld } from './roomWorld.js';

/** Two rounds with their pauses, each of their requests at its deadline, and the wait between them. */
const quietMs = roomTiming.subscribingMs + 2 * (roomTiming.checkMs + 3 * requestMs);

/** Ends all faults; after all has been told, what is shown is what the servers hold. */
export function judgeRoom(world: RoomWorld): void {
  calm(world);
  world.watch();
  world.advance(quietMs);
  judgeContent(world);
  judgeStanding(world);
  judgeFollowing(world);
}

/** What the channel does not bring ends `live`; what it brings again begins it. */
function judgeFollowing(world: RoomWorld): void {
  const holder = world.holders.find(({ isUp, updates }) => isUp && updates);
  if (!holder || !world.plan.hasChannel || !world.isChannelUp || world.plan.endsGarbled) return;
  world.countCheck('followed or silent');
  for (const isLinked of [false, true]) {
    holder.isLinked = isLinked;
    world.edit(holder);
    world.advance(quietMs);
    judgeContent(world);
    const [standing, channel] = isLinked ? ['live', 'followed'] : ['polling', 'silent'];
    if (world.standing !== standing || world.channel !== channel)
      world.fail('5: honest', `it is ${world.standing} and ${world.channel}, linked: ${isLinked}`);
  }
}

function calm(world: RoomWorld): void {
  world.note(() => '* all faults end');
  world.isCalm = true;
  world.isStoreStalled = false;
  world.lie = undefined;
  for (const holder of world.holders) {
    holder.isHung = false;
    holder.isLinked = true;
    holder.isGarbled = world.plan.endsGarbled;
  }
  if (world.plan.endsWithChannel) world.setChannel(true);
}

function judgeContent(world: RoomWorld): void {
  world.countCheck('exact at the end');
  const held = world.holders.flatMap(({ updates, isUp, isGarbled }) =>
    isUp && updates && !isGarbled ? [...updates] : [],
  );
  const missing = held.filter((update) => !world.content.has(update));
  if (missing.length > 0) world.fail('4: exact', `${missing} are not shown`);
  const invented = [...world.content.updates].filter((update) => !world.made.has(update));
  if (invented.length > 0) world.fail('4: exact', `${invented} were never made`);
}

function judgeStanding(world: RoomWorld): void {
  const { standing, holders, content } = world;
  const isHeld = holders.some(({ isUp, updates }) => isUp && updates);
  const isFollowed = world.plan.hasChannel && world.isChannelUp;
  // A server that is down, and still named, is no answer: what it holds may come back.
  const isUncertain = !isHeld && holders.some(({ isUp, updates }) => !isUp && updates);
  const isLive = isFollowed && world.channel !== 'silent';
  const read = isLive ? 'live' : 'polling';
  const held = world.plan.endsGarbled ? 'unreadable' : read;
  const fit = isHeld ? [held] : ['waiting', 'gone'];
  if (isUncertain) fit.push('polling', 'unreadable');
  if (!fit.includes(standing ?? ''))
    world.fail('5: honest', `it is ${standing}, held: ${isHeld}, followed: ${isFollowed}`);
  if (isHeld && !content.isKnown && !world.plan.endsGarbled)
    world.fail('5: honest', 'nothing is shown');
}
