import { parseNetworks } from '../../../server/addresses.js';
import { InboxWriter } from '../../../server/cluster/inboxWriter.js';
import { AddressBook } from '../../../server/pubsub/addressBook.js';
import { CallbackUrls } from '../../../server/pubsub/callbackUrls.js';
import { EventTokens, type TokenClaims, tokenIn } from '../../../server/pubsub/eventTokens.js';
import { InstanceCallbacks } from '../../../server/pubsub/instanceCallbacks.js';
import { parsePosted } from '../../../server/pubsub/parsePosted.js';
import { PassedPosts } from '../../../server/pubsub/passedPosts.js';
import { pubSubPort } from '../plan.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { SimulatedInstance } from './simulatedInstance.js';

const networks = parseNetworks('10.0.0.0/16');
const key = Buffer.from('the key of a cluster in a world!');
/** How long an instance waits for the leader. */
const passOnMs = 2000;
const balancerUrl = 'http://balancer:8000';

/** Posts and start-up queries at one instance, and what it passes on to the leader: the link stands for HTTP. */
export class InstancePosts {
  readonly tokens = new EventTokens(key);
  readonly book = new AddressBook({ networks, ownPort: 8000 });
  readonly callbacks: InstanceCallbacks;
  readonly inbox: InboxWriter;
  readonly #world: InstancesWorld;
  readonly #instance: SimulatedInstance;

  constructor(world: InstancesWorld, instance: SimulatedInstance) {
    this.#world = world;
    this.#instance = instance;
    const { lease } = instance;
    this.inbox = new InboxWriter({ push: (entries, done) => lease.pushInbox(entries, done) });
    this.callbacks = new InstanceCallbacks({
      receiver: () => instance.fleet?.receiver,
      leader: () => this.#leader,
      tokens: this.tokens,
      passed: new PassedPosts({ ask: () => Promise.reject(new Error('passed on by the world')) }),
      inbox: this.inbox,
      book: this.book,
      isLeaving: () => instance.isShuttingDown,
      urls: new CallbackUrls({ publicUrl: this.#url, host: '0.0.0.0', port: 8000 }),
      pubSubPort,
    });
  }

  urlOf(token: string): string {
    return `${this.#url}/api/events${token && `?token=${token}`}`;
  }

  /** What `server/http/routes/callbacks.ts` does with a post. `hops`: how often it was passed on. */
  take(address: string, eventsUrl: string, body: string, hops = 0): void {
    if (hops > 0) this.#world.oracle.atPassedOn(hops, body);
    const claims = this.tokens.read(tokenIn(eventsUrl));
    const { receiver } = this.#instance.fleet ?? {};
    if (!claims) this.callbacks.notePostWithoutToken(address);
    else if (receiver && (claims.term ?? 0) <= (receiver.term ?? 0)) this.#count(claims, body);
    else if (hops === 0 || this.#world.bug?.forwardsAgain)
      this.#passOn(claims, address, eventsUrl, body, hops + 1);
    else this.callbacks.noteUncountedPost(claims);
  }

  #count(claims: TokenClaims, body: string): void {
    if (claims.kind === 'content') throw new Error('no room is watched in this world');
    this.#world.note(() => `${this.#instance.name} takes ${body}`);
    this.callbacks.takePosted(claims, parsePosted(body));
  }

  /** Passes a post on to the leader before it is answered. A post that does not arrive is left in the inbox. */
  #passOn(claims: TokenClaims, address: string, url: string, body: string, hops: number): void {
    const leader = this.#leader;
    const site = leader && this.#world.siteAt(leader.url);
    const { clock, site: own } = this.#instance;
    let isOver = false;
    const lost = () => {
      if (isOver) return;
      isOver = true;
      this.callbacks.noteUncountedPost(claims);
    };
    if (!leader || !site) {
      lost();
      return;
    }
    const { links, time } = this.#world;
    clock.setTimeout(lost, passOnMs);
    const what = `${body} of ${address}, passed on by ${own.name}`;
    const refused = () => clock.run(lost);
    const deliver = () => {
      const { process } = site;
      if (process?.id !== leader.instance)
        return links.carry({ from: site.name, to: own.name, what, deliver: refused });
      process.clock.run(() => {
        process.posts.take(address, url, body, hops);
        time.outside(() =>
          links.carry({
            from: site.name,
            to: own.name,
            what: `the answer to ${what}`,
            deliver: () =>
              clock.run(() => {
                isOver = true;
              }),
          }),
        );
      });
    };
    time.outside(() =>
      links.carry({ from: own.name, to: site.name, what, deliver, lost: refused }),
    );
  }

  get #leader() {
    return this.#instance.leader;
  }

  /** Where servers post. */
  get #url(): string {
    return this.#world.plan.isBalanced ? balancerUrl : this.#instance.site.url;
  }
}
