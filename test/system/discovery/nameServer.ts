import { createSocket } from 'node:dgram';
import { type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet';

/** A DNS server on loopback, over UDP. */
export interface NameServer {
  /** `address:port`. */
  address: string;
  /** Addresses by name, to be asked for each time; a name without an entry is not found. */
  names: Map<string, { A?: string[]; AAAA?: string[] }>;
  /** `A name`, `AAAA name`, in the order in which they were asked. */
  queries: string[];
  /** Has a type of records fail with this code, be never answered, or work again. */
  fault(type: 'A' | 'AAAA', fault: 'SERVFAIL' | 'silence' | undefined): void;
  stop(): Promise<void>;
}

const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 };

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4');
  const names: NameServer['names'] = new Map();
  const queries: string[] = [];
  const faults = new Map<string, 'SERVFAIL' | 'silence' | undefined>();
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    if (question?.type !== 'A' && question?.type !== 'AAAA') return;
    const { type, name } = question;
    queries.push(`${type} ${name}`);
    const fault = faults.get(type);
    if (fault === 'silence') return;
    const known = names.get(name);
    const code = fault ?? (known ? 'NOERROR' : 'NXDOMAIN');
    const answers = (code === 'NOERROR' ? (known?.[type] ?? []) : []).map(
      (data): Answer => ({ name, type, ttl: 0, data }),
    );
    const flags = RECURSION_DESIRED | codes[code];
    socket.send(
      encode({ type: 'response', id: id ?? 0, flags, questions, answers }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names,
    queries,
    fault: (type, fault) => void faults.set(type, fault),
    stop: () => new Promise((resolve) => void socket.close(resolve)),
  };
}
