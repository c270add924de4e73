import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The part of the ECS API that lists tasks, over its JSON protocol. */
export interface EcsDouble {
  url: string;
  /** Tasks by ARN, as `DescribeTasks` answers them. */
  tasks: Map<string, object>;
  /** Every request: the operation's name and its input. */
  requests: Array<{ operation: string; input: Record<string, unknown> }>;
  /** Has every operation fail with this error, or no longer. */
  fault: { status: number; type: string; message: string } | undefined;
  /** Answers nothing while it is set. */
  isHanging: boolean;
  stop(): Promise<void>;
}

/** A double that lists so many tasks a page. */
export async function startEcs(pageSize: number): Promise<EcsDouble> {
  const http = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const input = JSON.parse(body);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    double.requests.push({ operation, input });
    if (double.isHanging) return;
    const headers = { 'Content-Type': 'application/x-amz-json-1.1' };
    if (double.fault) {
      const { status, type, message } = double.fault;
      response.writeHead(status, headers).end(JSON.stringify({ __type: type, message }));
      return;
    }
    const answer = operation === 'ListTasks' ? list(input) : describe(input);
    response.writeHead(200, headers).end(JSON.stringify(answer));
  });
  const list = ({ nextToken = '0' }: { nextToken?: string }) => {
    const arns = [...double.tasks.keys()];
    const to = Number(nextToken) + pageSize;
    const taskArns = arns.slice(Number(nextToken), to);
    return { taskArns, ...(to < arns.length && { nextToken: String(to) }) };
  };
  const describe = ({ tasks = [] }: { tasks?: string[] }) => ({
    tasks: tasks.map((arn) => double.tasks.get(arn)),
    failures: [],
  });
  const double: EcsDouble = {
    url: '',
    tasks: new Map(),
    requests: [],
    fault: undefined,
    isHanging: false,
    stop: () => {
      http.closeAllConnections();
      return new Promise((resolve) => void http.close(() => resolve()));
    },
  };
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  double.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return double;
}

/** A task as Fargate has it: its interface is attached to it, and named again by each container. */
export function fargateTask(address: string, lastStatus = 'RUNNING'): object {
  const details = [
    { name: 'subnetId', value: 'subnet-1' },
    { name: 'privateIPv4Address', value: address },
  ];
  return {
    lastStatus,
    desiredStatus: 'RUNNING',
    attachments: [
      { type: 'Service Connect', details: [{ name: 'portName', value: 'ws' }] },
      { type: 'ElasticNetworkInterface', status: 'ATTACHED', details },
    ],
    containers: [{ name: 'app', networkInterfaces: [{ privateIpv4Address: address }] }],
  };
}
