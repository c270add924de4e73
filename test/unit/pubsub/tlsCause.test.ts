import { expect, test } from '@jest/globals';
import { tlsCause } from '../../../server/pubsub/tlsCause.js';

const errorOf = (code?: string) => Object.assign(new Error('words of Node'), code && { code });
const untrusted = 'its certificate is not trusted (words of Node): see PUBSUB_CA_FILE';

test.each([
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host: words of Node'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['CERT_HAS_EXPIRED', untrusted],
  ['INVALID_CA', untrusted],
  ['EPROTO', 'it does not answer over https (EPROTO): see PUBSUB_TLS'],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'it does not answer over https (ERR_SSL_WRONG_VERSION_NUMBER): see PUBSUB_TLS',
  ],
  ['ECONNREFUSED', 'words of Node'],
  ['ERR_TLS_CERT_SIGNATURE', 'words of Node'],
  [undefined, 'words of Node'],
])('for %s an operator reads: %s', (code, words) => {
  expect(tlsCause(errorOf(code))).toBe(words);
});
