import type { ActivationInput } from '../../../../machines/activationSetup.js';
import type { ServerId, Term } from '../../../../machines/ports.js';
import { parseNetworks } from '../../../../server/addresses.js';
import { AddressBook } from '../../../../server/pubsub/addressBook.js';
import {
  CallbackReceiver,
  type CallbackReceiverNeeds,
} from '../../../../server/pubsub/callbackReceiver.js';
import { EventTokens, tokenKey } from '../../../../server/pubsub/eventTokens.js';
import type { StartupQuery } from '../../../../server/pubsub/startupQuery.js';
import { ScriptedFleet } from '../../machines/support/scriptedFleet.js';

interface LeadingReceiverOptions
  extends Pick<CallbackReceiverNeeds, 'takesStrangers' | 'runOf' | 'onBatch'> {
  /** Undefined: there is no cluster. */
  term?: Term | undefined;
  servers: ServerId[];
  begins: ActivationInput['begins'];
}

/** The receiver of a leader, with the machine and scripted servers. Needs fake timers of Jest. */
export class LeadingReceiver {
  readonly fleet: ScriptedFleet;
  readonly tokens: EventTokens;
  readonly book = new AddressBook({ networks: parseNetworks('10.0.0.0/8'), ownPort: 8000 });
  readonly receiver: CallbackReceiver;
  readonly newcomers: StartupQuery[] = [];
  /** What else the receiver told, in order. */
  readonly told: unknown[][] = [];
  readonly #advanceTimers: (ms: number) => void;

  constructor(
    { term, servers, begins, ...needs }: LeadingReceiverOptions,
    advanceTimers: (ms: number) => void,
  ) {
    this.#advanceTimers = advanceTimers;
    this.fleet = new ScriptedFleet(
      servers,
      {},
      { ...(term && { term }), ...(begins && { begins }) },
    );
    this.tokens = new EventTokens(tokenKey('secret'), term);
    const tell =
      (what: string) =>
      (...about: unknown[]) =>
        void this.told.push([what, ...about]);
    this.receiver = new CallbackReceiver({
      actor: this.fleet.actor,
      book: this.book,
      tokens: this.tokens,
      pubSubPort: 8001,
      resyncIntervalMs: 30_000,
      urlOf: (token) => `http://10.0.0.5:8000/api/events?token=${token}`,
      unusedUrl: 'http://10.0.0.5:8000/api/events',
      noteNewcomer: (query) => this.newcomers.push(query),
      onHeard: tell('heard'),
      observe: tell('observed'),
      takeUpdate: tell('update'),
      takeContent: tell('content'),
      noteLostContent: tell('lost content'),
      ...needs,
    });
  }

  /** Lets time pass for the machine and for the receiver, in small steps. */
  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.#advanceTimers(5);
      this.fleet.advance(5);
    }
  }

  close(): void {
    this.receiver.close();
    this.fleet.actor.stop();
  }
}
