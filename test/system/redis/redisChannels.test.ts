import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { type ChannelFollower, RedisChannels } from '../../../server/redis/redisChannels.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';

interface Seen extends ChannelFollower {
  /** `subscribed`, `lost`, or the message as text, in order. */
  events: string[];
  /** Why it was not subscribed, in order. */
  failures: string[];
  messages: { channel: string; message: Buffer }[];
}

const follower = (): Seen => {
  const seen: Seen = {
    events: [],
    failures: [],
    messages: [],
    onFailed: (cause) => void seen.failures.push(cause),
    onSubscribed: () => void seen.events.push('subscribed'),
    onLost: () => void seen.events.push('lost'),
    onMessage: (message, channel) => {
      seen.events.push(message.toString());
      seen.messages.push({ channel, message });
    },
  };
  return seen;
};

const subscribed = (...followers: Seen[]) =>
  eventually(() => {
    for (const { events } of followers) expect(events).toContain('subscribed');
  });

let redis: RedisServer;
let channels: RedisChannels;
let lines: Record<string, unknown>[];
let log: Logger;
let unhandled: unknown[];
const note = (error: unknown) => unhandled.push(error);

const logged = (message: string) => lines.filter(({ msg }) => msg === message);
const has = (events: string[]) => (seen: Seen) =>
  eventually(() => expect(seen.events).toEqual(events));

beforeEach(async () => {
  unhandled = [];
  process.on('unhandledRejection', note);
  lines = [];
  log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  redis = await startRedis();
  channels = new RedisChannels(redis.url, log, { pingEveryMs: 100, answerWithinMs: 10_000 });
});

afterEach(async () => {
  channels.close();
  await redis.stop();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe('a message', () => {
  test('arrives byte for byte from onSubscribed on', async () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const big = Buffer.alloc(3_000_000, everyByte);
    const seen = follower();
    const published = new Promise<void>((resolve, reject) => {
      const onSubscribed = () => {
        Promise.all([everyByte, big, Buffer.alloc(0)].map((it) => redis.publish('r', it))).then(
          (receivers) => resolve(expect(receivers).toEqual([1, 1, 1])),
          reject,
        );
      };
      channels.follow('r', { ...seen, onSubscribed });
    });
    await published;
    await eventually(() => expect(seen.messages).toHaveLength(3));
    expect(seen.messages.map(({ message }) => message.length)).toEqual([256, 3_000_000, 0]);
    expect(seen.messages[0]?.message.equals(everyByte)).toBe(true);
    expect(seen.messages[1]?.message.equals(big)).toBe(true);
  });

  test.each([
    '100%',
    'a"b',
    '<b>',
    '__proto__',
    'constructor',
    '',
    'a/b',
    'a%20b',
    'a b',
    '%F0%9F%98%80',
    '😀',
    'a\r\nb\0',
    'x-presence',
    '*',
    'a?[b-c]\\',
    'x'.repeat(2_000),
  ])('of channel %j (case %#), taken literally, comes to who follows it', async (channel) => {
    const [seen, other] = [follower(), follower()];
    channels.follow(channel, seen);
    channels.follow('other', other);
    await subscribed(seen, other);
    await redis.publish('other', 'not this');
    await redis.publish(channel, 'this');
    await eventually(() => expect(seen.messages).toHaveLength(1));
    expect(seen.messages[0]).toEqual({ channel, message: Buffer.from('this') });
    expect(other.events).toEqual(['subscribed', 'not this']);
  });

  test('reaches all followers of a matching pattern, with its channel', async () => {
    const [all, some, one] = [follower(), follower(), follower()];
    channels.followPattern('*', all);
    channels.followPattern('a?[0-9]', some);
    channels.follow('ab1', one);
    await subscribed(all, some, one);
    for (const channel of ['ab1', 'ab', '__proto__', 'r']) await redis.publish(channel, channel);
    await eventually(() => expect(all.messages).toHaveLength(4));
    expect(all.messages.map(({ channel }) => channel)).toEqual(['ab1', 'ab', '__proto__', 'r']);
    expect(some.messages).toEqual([{ channel: 'ab1', message: Buffer.from('ab1') }]);
    expect(one.messages).toHaveLength(1);
  });

  test('whose follower throws is logged and reaches the other followers', async () => {
    const fail = () => {
      throw new Error('mistake');
    };
    const seen = follower();
    channels.follow('r', { onMessage: fail, onSubscribed: fail, onLost: fail });
    channels.follow('r', seen);
    await subscribed(seen);
    await redis.publish('r', '1');
    await redis.publish('r', '2');
    await has(['subscribed', '1', '2'])(seen);
    await redis.restart();
    await has(['subscribed', '1', '2', 'lost', 'subscribed'])(seen);
    expect(logged('a follower of a redis channel failed').length).toBeGreaterThanOrEqual(5);
  });
});

describe('subscriptions are counted', () => {
  test('one of two followers leaves and the other still gets messages; after the last, Redis has no subscription', async () => {
    const [first, second, keeper] = [follower(), follower(), follower()];
    channels.follow('keeper', keeper);
    const leaveFirst = channels.follow('r', first);
    const leaveSecond = channels.follow('r', second);
    await subscribed(first, second, keeper);
    leaveFirst();
    leaveFirst();
    await redis.publish('r', 'on');
    await has(['subscribed', 'on'])(second);
    expect(await redis.subscribers('r')).toBe(1);
    leaveSecond();
    await eventually(async () => expect(await redis.subscribers('r')).toBe(0));
    expect(await redis.subscribers('keeper')).toBe(1);
    expect(first.events).toEqual(['subscribed']);
  });

  test('when the same follower subscribes twice', async () => {
    const seen = follower();
    const leave = channels.follow('r', seen);
    channels.follow('r', seen);
    await has(['subscribed', 'subscribed'])(seen);
    leave();
    leave();
    await redis.publish('r', 'on');
    await has(['subscribed', 'subscribed', 'on'])(seen);
  });

  test('for patterns too', async () => {
    channels.follow('keeper', follower());
    const [first, second] = [follower(), follower()];
    const leave = [channels.followPattern('*', first), channels.followPattern('*', second)];
    await subscribed(first, second);
    leave[0]?.();
    expect(await redis.patterns()).toBe(1);
    leave[1]?.();
    await eventually(async () => expect(await redis.patterns()).toBe(0));
  });

  test('without followers there is no connection, and the next follower makes one', async () => {
    expect(await redis.clients()).toBe(0);
    const leave = channels.follow('r', follower());
    await eventually(async () => expect(await redis.clients()).toBe(1));
    leave();
    await eventually(async () => expect(await redis.clients()).toBe(0));
    const seen = follower();
    channels.follow('r', seen);
    await redis.publish('r', 'lost');
    await subscribed(seen);
    await redis.publish('r', 'seen');
    await eventually(() => expect(seen.events).toContain('seen'));
  });

  test('in any order of following and leaving', async () => {
    let state = 42;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (state >> 8) % below;
    };
    const names = ['a', 'b', 'c', '__proto__'];
    const active = new Map<Seen, { name: string; leave: () => void }>();
    const left: [Seen, number][] = [];
    channels.followPattern('none', follower());
    for (let step = 0; step < 600; step += 1) {
      const some = [...active][random(Math.max(active.size, 1))];
      if (some && (random(2) === 0 || active.size > 8)) {
        some[1].leave();
        active.delete(some[0]);
        left.push([some[0], some[0].events.length]);
      } else {
        const seen = follower();
        const name = names[random(names.length)] ?? '';
        active.set(seen, { name, leave: channels.follow(name, seen) });
      }
      if (random(4) === 0) await redis.publish(names[random(names.length)] ?? '', 'noise');
    }
    await subscribed(...active.keys());
    for (const name of names) await redis.publish(name, `end of ${name}`);
    for (const [seen, { name }] of active) {
      await eventually(() => expect(seen.events).toContain(`end of ${name}`));
      expect(seen.events.filter((event) => event === 'subscribed')).toHaveLength(1);
    }
    for (const name of names) {
      const isFollowed = [...active.values()].some((it) => it.name === name);
      expect(await redis.subscribers(name)).toBe(isFollowed ? 1 : 0);
    }
    for (const [seen, events] of left) expect(seen.events).toHaveLength(events);
  });
});

describe('when Redis', () => {
  test('is stopped and started, each follower gets onLost and onSubscribed', async () => {
    const followers = [follower(), follower(), follower()] as const;
    const [first, second, pattern] = followers;
    channels.follow('__proto__', first);
    channels.follow('__proto__', second);
    channels.followPattern('*', pattern);
    await subscribed(...followers);
    for (let round = 1; round <= 3; round += 1) {
      await redis.stop();
      for (const { events } of followers)
        await eventually(() => expect(events.at(-1)).toBe('lost'));
      await redis.restart();
      for (const { events } of followers) {
        await eventually(() => expect(events.at(-1)).toBe('subscribed'));
        expect(events).toHaveLength(2 * round + 1);
      }
    }
    await redis.publish('__proto__', 'back');
    for (const { events } of followers) await eventually(() => expect(events.at(-1)).toBe('back'));
    expect(logged('redis is unreachable; retrying')).toHaveLength(3);
    expect(logged('following redis channels')).toHaveLength(4);
  });

  test('is down at the start, followers wait for it, without onLost', async () => {
    await redis.stop();
    const [seen, gone] = [follower(), follower()];
    channels.follow('r', seen);
    const leave = channels.follow('r2', gone);
    await eventually(() => expect(logged('redis is unreachable; retrying')).toHaveLength(1));
    expect(lines[0]?.reason).toContain('ECONNREFUSED');
    leave();
    await redis.restart();
    await has(['subscribed'])(seen);
    expect(await redis.subscribers('r2')).toBe(0);
    expect(gone.events).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'redis is unreachable; retrying',
      'following redis channels',
    ]);
  });

  test('is down for long, it is logged once', async () => {
    let attempts = 0;
    const refusing = createServer((socket) => {
      attempts += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const address = refusing.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const mine = new RedisChannels(`redis://127.0.0.1:${port}`, log);
    const seen = follower();
    mine.follow('r', seen);
    await eventually(() => expect(attempts).toBeGreaterThan(3));
    mine.close();
    refusing.close();
    expect(lines.map(({ msg }) => msg)).toEqual(['redis is unreachable; retrying']);
    expect(seen.events).toEqual([]);
  });

  test('hangs, a missing reply to PING reveals it, and followers recover', async () => {
    channels.close();
    channels = new RedisChannels(redis.url, log, { pingEveryMs: 100, answerWithinMs: 1000 });
    const seen = follower();
    channels.follow('r', seen);
    await subscribed(seen);
    redis.suspend();
    await eventually(() => expect(seen.events.at(-1)).toBe('lost'));
    expect(logged('redis is unreachable; retrying')[0]?.reason).toContain('Socket timeout');
    redis.resume();
    await eventually(() => expect(seen.events.at(-1)).toBe('subscribed'));
  });

  test('hangs before the first follower, followers recover too', async () => {
    channels.close();
    channels = new RedisChannels(redis.url, log, { pingEveryMs: 100, answerWithinMs: 1000 });
    redis.suspend();
    const seen = follower();
    channels.follow('r', seen);
    await eventually(() => expect(logged('redis is unreachable; retrying')).toHaveLength(1));
    redis.resume();
    await has(['subscribed'])(seen);
  });

  test('answers, a quiet connection is kept', async () => {
    const seen = follower();
    channels.follow('r', seen);
    await subscribed(seen);
    const pings = async () =>
      Number(
        /cmdstat_ping:calls=(\d+)/.exec(String(await redis.call('INFO', 'commandstats')))?.[1],
      );
    await eventually(async () => expect(await pings()).toBeGreaterThan(8));
    expect(seen.events).toEqual(['subscribed']);
  });

  test('goes down while followers come and go, every remaining follower is subscribed in the end', async () => {
    const followers = Array.from({ length: 40 }, follower);
    let restarting: Promise<void> | undefined;
    const leaves: (() => void)[] = [];
    for (const [index, seen] of followers.entries()) {
      leaves.push(channels.follow(`r${index % 5}`, seen));
      if (index % 4 === 3) leaves[index - 1]?.();
      if (index === 10 || index === 25) restarting = redis.restart();
      await new Promise((resolve) => setImmediate(resolve));
      if (index === 20) await restarting;
    }
    await restarting;
    const staying = followers.filter((_, index) => index % 4 !== 2);
    for (const { events } of staying)
      await eventually(() => expect(events.at(-1)).toBe('subscribed'));
    for (let room = 0; room < 5; room += 1) await redis.publish(`r${room}`, 'end');
    for (const { events } of staying) {
      await eventually(() => expect(events.at(-1)).toBe('end'));
      const states = events.filter((event) => event !== 'end');
      expect(states).toEqual(states.map((_, index) => (index % 2 ? 'lost' : 'subscribed')));
    }
  });

  test('requires a password, it is sent and never logged', async () => {
    const secret = 'p@ss wörd/hunter2';
    const guarded = await startRedis({ password: secret });
    const urlWith = (password: string) =>
      guarded.url.replace('//', `//:${encodeURIComponent(password)}@`);
    const right = new RedisChannels(urlWith(secret), log);
    const wrong = new RedisChannels(urlWith('hunter3'), log);
    const none = new RedisChannels(guarded.url, log);
    try {
      const [seen, refused, without] = [follower(), follower(), follower()];
      right.follow('r', seen);
      await subscribed(seen);
      wrong.follow('r', refused);
      none.follow('r', without);
      await eventually(() => expect(JSON.stringify(lines)).toContain('WRONGPASS'));
      await eventually(() => expect(JSON.stringify(lines)).toContain('NOAUTH'));
      expect([refused.events, without.events]).toEqual([[], []]);
      expect(JSON.stringify(lines)).not.toMatch(/hunter|p@ss|p%40ss/);
    } finally {
      for (const each of [right, wrong, none]) each.close();
      await guarded.stop();
    }
  });
});

describe('what Redis refuses is tried again until it is allowed:', () => {
  const user = 'dashboard';
  const allow = (...rules: string[]) =>
    redis.call('ACL', 'SETUSER', user, 'on', '>secret', ...rules);
  const asUser = (name = user, password = 'secret') =>
    new RedisChannels(redis.url.replace('//', `//${name}:${password}@`), log);
  const timesRefused = async () => {
    // Each entry is a flat list of names and values.
    const entries = (await redis.call('ACL', 'LOG')) as unknown[][];
    return entries.reduce((sum, entry) => sum + Number(entry[entry.indexOf('count') + 1]), 0);
  };
  const refusals = () => lines.filter(({ msg }) => `${msg}`.startsWith('redis refused to sub'));

  test.each<[string, string[], string[]]>([
    ['channels', ['+@all', 'resetchannels'], ['allchannels']],
    ['the commands', ['allchannels', '-@all', '+ping'], ['+subscribe', '+psubscribe']],
  ])('%s', async (_, refusing, granting) => {
    await allow(...refusing);
    const mine = asUser();
    try {
      const [one, all] = [follower(), follower()];
      mine.follow('r', one);
      mine.followPattern('*', all);
      for (const { failures } of [one, all])
        await eventually(() => expect(failures).toEqual(['refused']));
      await eventually(async () => expect(await timesRefused()).toBeGreaterThanOrEqual(4));
      // Tried again, and told once.
      expect(refusals()).toHaveLength(2);
      await allow(...granting);
      await subscribed(one, all);
      await redis.publish('r', 'on');
      for (const { events } of [one, all])
        await eventually(() => expect(events).toEqual(['subscribed', 'on']));
      expect(logged('redis accepted the subscription')).toHaveLength(2);
    } finally {
      mine.close();
    }
  });

  test('one channel beside an allowed one', async () => {
    await allow('+@all', 'resetchannels', '&mine');
    const mine = asUser();
    try {
      const [allowed, refused] = [follower(), follower()];
      mine.follow('mine', allowed);
      mine.follow('other', refused);
      await subscribed(allowed);
      await eventually(() => expect(refused.failures).toEqual(['refused']));
      await allow('&other');
      await subscribed(refused);
      expect(allowed.events).toEqual(['subscribed']);
    } finally {
      mine.close();
    }
  });

  test('a permission that is revoked and granted again', async () => {
    await allow('+@all', 'allchannels');
    const mine = asUser();
    try {
      const seen = follower();
      mine.follow('r', seen);
      await subscribed(seen);
      await allow('resetchannels');
      await has(['subscribed', 'lost'])(seen);
      await eventually(() => expect(seen.failures.at(-1)).toBe('refused'));
      await allow('allchannels');
      await has(['subscribed', 'lost', 'subscribed'])(seen);
    } finally {
      mine.close();
    }
  });

  test('a wrong password that becomes valid', async () => {
    const mine = asUser(user, 'secret');
    try {
      const seen = follower();
      mine.follow('r', seen);
      await eventually(() => expect(seen.failures).toEqual(['refused']));
      await allow('+@all', 'allchannels');
      await has(['subscribed'])(seen);
    } finally {
      mine.close();
    }
  });

  test('a missing password that is no longer required', async () => {
    await redis.call('CONFIG', 'SET', 'requirepass', 'secret');
    const seen = follower();
    channels.follow('r', seen);
    await eventually(() => expect(seen.failures).toEqual(['refused']));
    await redis.call('CONFIG', 'SET', 'requirepass', '');
    await has(['subscribed'])(seen);
  });

  test('a follower that left is not retried, and an unreachable Redis is reported as such', async () => {
    await allow('+@all', 'resetchannels');
    const mine = asUser();
    try {
      const [gone, keeper] = [follower(), follower()];
      const leave = mine.follow('gone', gone);
      mine.follow('keeper', keeper);
      await eventually(() => expect(gone.failures).toEqual(['refused']));
      leave();
      await allow('allchannels');
      await subscribed(keeper);
      expect(await redis.subscribers('gone')).toBe(0);
      expect(gone.events).toEqual([]);
      await redis.stop();
      const late = follower();
      mine.follow('late', late);
      await eventually(() => expect(late.failures).toEqual(['unreachable']));
      await redis.restart();
    } finally {
      mine.close();
    }
  });
});

describe('closing', () => {
  test('ends the connection, and no follower is called afterwards', async () => {
    const seen = follower();
    const leave = channels.follow('r', seen);
    await subscribed(seen);
    channels.close();
    await eventually(async () => expect(await redis.clients()).toBe(0));
    leave();
    channels.follow('r', seen)();
    channels.close();
    expect(await redis.clients()).toBe(0);
    expect(seen.events).toEqual(['subscribed']);
  });

  test.each(['there', 'gone', 'hanging', 'hanging from the start', 'unknown yet'])(
    'leaves no timer and no socket when Redis is %s',
    async (state) => {
      // The connection of the test itself is there from now on.
      await redis.clients();
      const before = process.getActiveResourcesInfo();
      const seen = follower();
      const mine = new RedisChannels(redis.url, log, {
        pingEveryMs: 60_000,
        answerWithinMs: 60_000,
      });
      if (state === 'gone') await redis.stop();
      if (state === 'hanging from the start') redis.suspend();
      mine.follow('r', seen);
      if (state === 'there' || state === 'hanging') await subscribed(seen);
      if (state === 'hanging') redis.suspend();
      if (state === 'gone')
        await eventually(() => expect(logged('redis is unreachable; retrying')).toHaveLength(1));
      mine.close();
      const count = (all: string[], kind: string) => all.filter((each) => each === kind).length;
      // Shorter than any timer of the connection: a timer that stays is no success.
      await eventually(
        () => {
          const after = process.getActiveResourcesInfo();
          expect(count(after, 'Timeout')).toBeLessThanOrEqual(count(before, 'Timeout'));
          expect(count(after, 'TCPSocketWrap')).toBeLessThanOrEqual(count(before, 'TCPSocketWrap'));
        },
        { withinMs: 1_900 },
      );
      const wasSubscribed = state === 'there' || state === 'hanging';
      expect(seen.events).toEqual(wasSubscribed ? ['subscribed'] : []);
      redis.resume();
    },
  );
});
