import { plainCause } from './plainCause.js';

const invalid = 'the credentials are not valid';
const expired = 'the credentials have expired';
const throttled = 'too many requests: AWS throttles them';

/** Errors of AWS by their name. Those of DynamoDB, ECS and the SDK have the same names. */
const causes: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'no credentials',
  UnrecognizedClientException: invalid,
  InvalidSignatureException: invalid,
  InvalidClientTokenId: invalid,
  IncompleteSignatureException: invalid,
  ExpiredTokenException: expired,
  ExpiredToken: expired,
  ThrottlingException: throttled,
  ProvisionedThroughputExceededException: throttled,
  RequestLimitExceeded: throttled,
  ClusterNotFoundException: 'there is no such ECS cluster',
  ServiceNotFoundException: 'there is no such ECS service',
};

/** Why AWS does not answer, in plain words. */
export function awsCause(error: unknown): string {
  const { name = '', message = '' } = Object(error) as Partial<Error>;
  if (message.includes('Region is missing')) return 'no region: set AWS_REGION';
  if (name === 'AccessDeniedException') return `access denied: ${message}`;
  return causes[name] ?? plainCause(error);
}
