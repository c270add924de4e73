import { isAddress, isLoopback, isPublicAddress, withoutBrackets } from '../addresses.js';

/** The variables about webhooks; undefined: unset or not valid. */
interface WebhookVariables {
  webhookUrl?: string;
  webhookSecret?: string;
  webhookAllowPrivate?: boolean;
}

/** Contradictions of the variables about webhooks. */
export function webhookContradictions({
  webhookUrl,
  webhookSecret,
  webhookAllowPrivate,
}: WebhookVariables): string[] {
  if (webhookUrl === undefined) return [];
  const problems: string[] = [];
  if (webhookSecret === undefined)
    problems.push('WEBHOOK_SECRET is unset: WEBHOOK_URL requires it, to sign webhooks');
  // The addresses of names are checked with each webhook.
  if (webhookAllowPrivate === false && isPrivateHost(new URL(webhookUrl).hostname))
    problems.push(
      'WEBHOOK_URL has a private address: set WEBHOOK_ALLOW_PRIVATE to true if webhooks may go there',
    );
  return problems;
}

function isPrivateHost(hostname: string): boolean {
  const host = withoutBrackets(hostname);
  return isLoopback(host) || (isAddress(host) && !isPublicAddress(host));
}
