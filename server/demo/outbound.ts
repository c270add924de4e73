import http from 'node:http';
import https from 'node:https';

/** One request as the outbound client sends it; `url` goes on the wire as it is, fragment aside. */
export type OutboundRequest = { method: 'GET' | 'POST'; url: string; body?: string };

/** The agent's HTTP client: kept-alive sockets, a deadline on every request, and an end. */
export type Outbound = {
  /** Resolves with the answer's text, whatever its status; rejects on a failure or at the deadline. */
  send(request: OutboundRequest): Promise<string>;
  /** Resolves when no request is in flight; the deadline bounds how long that takes. */
  settled(): Promise<void>;
  /** Ends every socket; requests in flight reject. */
  close(): void;
};

// Below the 5 s after which Node's servers drop an idle socket: a request must not meet that reset.
const idleSocketMs = 2_000;
const maxAnswerBytes = 1024 * 1024;

const readText = async (answer: http.IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** Makes an outbound client; its maker closes it. */
export const createOutbound = ({ deadlineMs }: { deadlineMs: number }): Outbound => {
  const sockets = { keepAlive: true, maxSockets: 64, timeout: idleSocketMs };
  const agents = { 'http:': new http.Agent(sockets), 'https:': new https.Agent(sockets) };
  const inFlight = new Set<Promise<string>>();

  const exchange = async ({ method, url, body }: OutboundRequest): Promise<string> => {
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    const headers = {
      accept: 'application/json, text/plain, */*',
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }),
    };
    const agent = agents[secure ? 'https:' : 'http:'];
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(target, { method, headers, agent });
      const late = () => request.destroy(new Error(`no answer within ${deadlineMs} ms`));
      const deadline = setTimeout(late, deadlineMs);
      request.on('response', (answer) => readText(answer).then(resolve, reject));
      request.on('error', reject);
      // The end of the whole exchange: by then there was an error, or an answer that is being read.
      request.on('close', () => clearTimeout(deadline));
      request.end(body);
    });
  };

  const send = (request: OutboundRequest): Promise<string> => {
    const answer = exchange(request).finally(() => inFlight.delete(answer));
    inFlight.add(answer);
    return answer;
  };

  return {
    send,
    settled: async () => {
      while (inFlight.size > 0) await Promise.allSettled(inFlight);
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
};
