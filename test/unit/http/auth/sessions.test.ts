import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  type Session,
  Sessions,
  sessionLifetimeMs,
} from '../../../../server/http/auth/sessions.js';

afterEach(() => void jest.useRealTimers());

/** A clock that stands still until it is set. */
function startAt(now = Date.UTC(2026, 0, 1)) {
  const clock = { now };
  return { clock, sessions: (token = 'token') => new Sessions(token, () => clock.now) };
}

function genuine(session: Session | undefined): Session {
  if (!session) throw new Error('the session is not taken');
  return session;
}

describe('a session', () => {
  test('survives a restart if the token stays the same', () => {
    const { sessions } = startAt();
    const text = sessions().begin();
    expect(sessions().read(text)).toEqual(sessions().read(text));
    expect(sessions().read(text)).toBeDefined();
    expect(sessions('another token').read(text)).toBeUndefined();
  });

  test('expires after seven days, and not earlier', () => {
    const { clock, sessions } = startAt();
    const ours = sessions();
    const text = ours.begin();
    clock.now += sessionLifetimeMs - 1;
    expect(ours.read(text)).toBeDefined();
    clock.now += 1;
    expect(ours.read(text)).toBeUndefined();
  });

  test('cannot be extended, recombined or rewritten', () => {
    const { sessions } = startAt();
    const ours = sessions();
    const text = ours.begin();
    const [id = '', expires = '', mac = ''] = text.split('.');
    const [otherId = '', , otherMac = ''] = ours.begin().split('.');
    const later = Number(expires) + 1;
    const forged = [
      `${id}.${later}.${mac}`,
      `${id}.0${expires}.${mac}`,
      `${otherId}.${expires}.${mac}`,
      `${id}.${expires}.${otherMac}`,
      `${id}.${expires}.${mac.slice(0, -1)}`,
      `${id}.${expires}.${mac}=`,
      `${id}.${expires}.`,
      `${id}.${expires}`,
      `${text}.`,
      ` ${text}`,
      `${text}\n`,
      `${id}.${later}.${createHmac('sha256', 'token').update(`${id}.${later}`).digest('base64url')}`,
      '',
    ];
    // Every other last character of the MAC, those that mean the same bytes included.
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      if (last !== text.at(-1)) forged.push(text.slice(0, -1) + last);
    for (const each of forged) expect([each, ours.read(each)]).toEqual([each, undefined]);
    expect(ours.read(text)).toBeDefined();
  });

  test('is refused after it signed out, and no other is', () => {
    const { sessions } = startAt();
    const ours = sessions();
    const [text, other] = [ours.begin(), ours.begin()];
    ours.end(genuine(ours.read(text)));
    expect(ours.read(text)).toBeUndefined();
    expect(ours.read(other)).toBeDefined();
  });

  test('stays signed out after many others sign out, with bounded memory', () => {
    const { clock, sessions } = startAt();
    const ours = sessions();
    const early = Array.from({ length: 10 }, () => ours.begin());
    for (const text of early) ours.end(genuine(ours.read(text)));
    for (let i = 0; i < 10_000; i += 1) {
      clock.now += 1;
      ours.end(genuine(ours.read(ours.begin())));
    }
    for (const text of early) expect(ours.read(text)).toBeUndefined();
    clock.now += 1000;
    expect(ours.read(ours.begin())).toBeDefined();
    expect(ours.signedOut).toBeLessThanOrEqual(4096);
  });

  test('has a different cookie name for a different token, because cookies ignore ports', () => {
    const { sessions } = startAt();
    expect(sessions().cookieName).toBe(sessions().cookieName);
    expect(sessions().cookieName).toMatch(/^pubsub-dashboard-[\w-]{8}$/);
    expect(sessions('another token').cookieName).not.toBe(sessions().cookieName);
  });
});

describe('an open answer of a session', () => {
  test('ends when its session signs out, and no other does', () => {
    const { sessions } = startAt();
    const ours = sessions();
    const [session, other] = [ours.begin(), ours.begin()].map((text) => genuine(ours.read(text)));
    if (!session || !other) throw new Error('there are two');
    const ended: string[] = [];
    ours.hold(session, () => ended.push('first'));
    ours.hold(session, () => ended.push('second'));
    ours.hold(session, () => ended.push('gone before'))();
    ours.hold(other, () => ended.push('other'))();
    ours.hold(other, () => ended.push('other'));
    ours.end(session);
    ours.end(session);
    expect(ended).toEqual(['first', 'second']);
  });

  test('ends when its session expires, and leaves no timer if it ends earlier', () => {
    jest.useFakeTimers();
    const ours = new Sessions('token');
    const session = genuine(ours.read(ours.begin()));
    const ended: string[] = [];
    const release = ours.hold(session, () => ended.push('gone before'));
    release();
    release();
    expect(jest.getTimerCount()).toBe(0);
    ours.hold(session, () => ended.push('open'));
    jest.advanceTimersByTime(sessionLifetimeMs - 1);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(ended).toEqual(['open']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('ends when its session expires by the clock, even if the clock was set', () => {
    jest.useFakeTimers();
    const ours = new Sessions('token');
    const session = genuine(ours.read(ours.begin()));
    // As of a machine that starts without a battery: longer than a timer can wait.
    const begun = Date.now();
    jest.setSystemTime(0);
    const ended: string[] = [];
    ours.hold(session, () => ended.push('open'));
    jest.advanceTimersByTime(2 * sessionLifetimeMs);
    expect(ended).toEqual([]);
    jest.setSystemTime(begun + sessionLifetimeMs);
    jest.advanceTimersByTime(60 * 60 * 1000);
    expect(ended).toEqual(['open']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
