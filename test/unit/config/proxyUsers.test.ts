import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { problemsOf } from './problemsOf.js';

const proxy = { TRUSTED_PROXIES: '10.0.0.7', PROXY_USER_HEADER: 'X-Forwarded-User' };

describe('PROXY_USER_HEADER', () => {
  test('is off by default, and read in lower case', () => {
    expect(readConfig({})).not.toHaveProperty('proxyUserHeader');
    expect(readConfig(proxy)).toMatchObject({ proxyUserHeader: 'x-forwarded-user' });
  });

  test('is refused without TRUSTED_PROXIES, and with every address in it', () => {
    const { TRUSTED_PROXIES: _, ...alone } = proxy;
    expect(problemsOf(alone)).toEqual([
      'TRUSTED_PROXIES is unset: PROXY_USER_HEADER requires it, because any client can send that header',
    ]);
    for (const all of ['0.0.0.0/0', '::/0', '10.0.0.7, ::/00', '0.0.0.0/0,10.0.0.7'])
      expect(problemsOf({ ...proxy, TRUSTED_PROXIES: all })).toHaveLength(1);
  });

  test('stands for a token beyond loopback', () => {
    expect(problemsOf({ ...proxy, HOST: '0.0.0.0' })).toEqual([]);
  });

  test('contradicts AUTH=none', () => {
    expect(problemsOf({ ...proxy, AUTH: 'none' })).toEqual([
      'AUTH is "none": PROXY_USER_HEADER makes the service require signing in',
    ]);
  });

  test.each([
    'Host',
    'Cookie',
    'authorization',
    'Origin',
    'X-Forwarded-For',
    'Sec-Fetch-Site',
    'Content-Type',
    'Instance-Signature',
    'a b',
    'a:b',
    'x_user',
  ])('is no other header, and no other text: %s', (name) => {
    expect(problemsOf({ ...proxy, PROXY_USER_HEADER: name })).toEqual([
      expect.stringContaining('must be the name of a header like X-Forwarded-User'),
    ]);
  });
});

describe('SIGN_OUT_URL', () => {
  test.each(['/oauth2/sign_out', '/a?rd=%2F', 'https://login.example/out'])('may be %s', (url) => {
    expect(readConfig({ ...proxy, SIGN_OUT_URL: url })).toMatchObject({ signOutUrl: url });
  });

  test.each(['javascript:alert(1)', '//a.example', '/\\a.example', 'out', 'https://', '/a b'])(
    'may not be %s',
    (url) => {
      expect(problemsOf({ ...proxy, SIGN_OUT_URL: url })).toEqual([
        expect.stringContaining('must be a path like /oauth2/sign_out, or an http or https URL'),
      ]);
    },
  );

  test('requires PROXY_USER_HEADER', () => {
    expect(problemsOf({ SIGN_OUT_URL: '/out' })).toEqual([
      'PROXY_USER_HEADER is unset: SIGN_OUT_URL requires it',
    ]);
  });
});
