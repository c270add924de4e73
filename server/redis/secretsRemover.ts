/**
 * A function that removes secrets from a message, also percent-encoded. Redis quotes commands in error
 * messages, and the error object has the arguments of AUTH.
 */
export function secretsRemover(
  secrets: readonly (string | undefined)[],
): (message: string) => string {
  const texts = secrets
    .filter((secret) => secret !== undefined)
    .flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return (message) => texts.reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
