/** A collector: takes traces as OTLP over HTTP. */

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

type Value = { stringValue?: string; intValue?: number; boolValue?: boolean };
type Attributes = { key: string; value: Value }[];

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  attributes: Attributes;
  status: { code: number };
}

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: { scope: { name: string }; spans: OtlpSpan[] }[];
  }[];
}

/** A span, with attributes by name. */
export type ReceivedSpan = Omit<OtlpSpan, 'attributes'> & {
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
};

/** What a collector got, and what it answers. */
export interface OtlpReceiver {
  url: string;
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[];
  /** All spans that came as JSON. */
  spans(): ReceivedSpan[];
  /** Status of its answers, 200 by default; `hang`: it never answers. */
  answer: number | 'hang';
  stop(): void;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const server = createServer(async (req, res) => {
    const { url: path = '', headers } = req;
    receiver.requests.push({ path, headers, body: await buffer(req) });
    if (receiver.answer !== 'hang')
      res.writeHead(receiver.answer, { 'Content-Type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    spans: () => receiver.requests.flatMap(({ body }) => spansIn(body)),
    answer: 200,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}

function spansIn(body: Buffer): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body.toString()) as OtlpRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
      })),
    ),
  );
}

const plain = (attributes: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
