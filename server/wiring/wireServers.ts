import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import type { Config } from '../config/config.js';
import { AddressBook } from '../pubsub/addressBook.js';
import { AdvertisedHosts } from '../pubsub/advertisedHosts.js';
import { type AgentChange, AgentInfos } from '../pubsub/agentInfo.js';
import { CallbackUrls } from '../pubsub/callbackUrls.js';
import { EventTokens, tokenKey } from '../pubsub/eventTokens.js';
import type { PubSubHttpNeeds } from '../pubsub/pubSubHttp.js';
import { Signatures } from '../pubsub/signatures.js';
import { SignedQueries } from '../pubsub/signedQueries.js';
import type { Answered } from '../pubsub/startupQueries.js';
import type { QueryHead, StartupAnswer, StartupQuery } from '../pubsub/startupQuery.js';

/** What the parts below need from the rest of the instance. */
export interface ServerWiringNeeds {
  config: Config;
  log: Logger;
  ownPort: number;
  lookup: PubSubHttpNeeds['lookup'] | undefined;
  tracing: PubSubHttpNeeds['tracing'];
  /** What a server told of itself has changed. */
  onAgentChanged: (server: ServerId, change: AgentChange) => void;
}

/** What an instance always knows of pub-sub servers, whether it leads or not. */
export type ServerParts = ReturnType<typeof wireServers>;

/** Creates what finds out who pub-sub servers are, and what they are told about this instance. */
export function wireServers(needs: ServerWiringNeeds) {
  const { config, log, ownPort, lookup, tracing, onAgentChanged } = needs;
  const { clusterSecret, instanceUrl, publicUrl, host, pubSubSecrets, pubSubTls, pubSubCa } =
    config;
  const tokens = new EventTokens(clusterSecret === undefined ? undefined : tokenKey(clusterSecret));
  const book = new AddressBook({ networks: config.pubSubNetworks, ownPort });
  const urls = new CallbackUrls({ instanceUrl, publicUrl, host, port: ownPort });
  const agents = new AgentInfos(onAgentChanged);
  const signatures = pubSubSecrets && new Signatures(pubSubSecrets);
  const advertisedHosts = new AdvertisedHosts({ lookup });
  const addressesOf = (name: string) => advertisedHosts.addressesOf(name);
  const signedQueries = signatures && new SignedQueries({ signatures, addressesOf, log });
  /** How all requests to pub-sub servers are made. */
  const http: PubSubHttpNeeds = {
    requestTimeoutMs: config.requestTimeoutMs,
    mayContact: (address, port) => book.mayContact(address, port),
    onResolved: (server, addresses) => book.note(server, addresses),
    ...(lookup && { lookup }),
    sign: signatures && ((request) => signatures.sign(request)),
    tls: pubSubTls ? { ca: pubSubCa } : undefined,
    tracing,
  };
  return { tokens, book, urls, agents, advertisedHosts, signedQueries, http };
}

/** What takes start-up queries. */
interface QueryReceiver {
  answerStartup: (query: StartupQuery) => Answered | Promise<Answered>;
  inactiveAnswer: () => StartupAnswer;
}

/** Answers start-up queries, once it is known whether they are signed and what host their sender has. */
export function wireStartup(
  receiver: () => QueryReceiver,
  { advertisedHosts, signedQueries }: Pick<ServerParts, 'advertisedHosts' | 'signedQueries'>,
) {
  return async (query: StartupQuery, head: QueryHead): Promise<Answered> => {
    const isSigned = (await signedQueries?.isSigned(query, head)) ?? false;
    if (signedQueries && !isSigned)
      return { answer: receiver().inactiveAnswer(), afterwards: () => {} };
    // Nobody but its server can have sent a signed query, under whatever name.
    const known = isSigned ? { ...query, isMisnamed: false } : query;
    const { address, isForwarded } = query;
    if (head.advertised === undefined || (isForwarded && !isSigned))
      return receiver().answerStartup(known);
    const advertised = await advertisedHosts.find(head.advertised, { address, isSigned });
    return receiver().answerStartup({ ...known, advertised });
  };
}
