const otherHost = 'ERR_TLS_CERT_ALTNAME_INVALID';
/** Codes of OpenSSL and Node for certificates that no known authority signed, or that are out of date. */
const untrusted = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_|UNABLE_TO_|CERT_|INVALID_CA)/;
const notTls = /^(EPROTO|ERR_SSL_)/;

/** Why a request over https failed, for an operator to read. */
export function tlsCause(error: Error & { code?: string }): string {
  const { code = '', message } = error;
  if (code === otherHost) return `its certificate is for another host: ${message}`;
  if (untrusted.test(code))
    return `its certificate is not trusted (${message}): see PUBSUB_CA_FILE`;
  if (notTls.test(code)) return `it does not answer over https (${code}): see PUBSUB_TLS`;
  return message;
}
