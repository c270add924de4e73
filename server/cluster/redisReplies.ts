import { z } from 'zod';
import { parseJson } from '../parseJson.js';
import type { InstanceRecord, LeaseRecord } from './clusterStore.js';

const texts = z.array(z.string());
const flag = z.enum(['0', '1']).transform((text) => text === '1');
const orUndefined = (text: string) => text || undefined;

const leaseFields = z.object({
  term: z.coerce.number().int().min(0),
  instance: z.string().transform(orUndefined),
  url: z.string(),
  serversUrl: z.string().transform(orUndefined),
  protocol: z.coerce.number(),
  renewals: z.coerce.number().int(),
  isActive: flag,
  isLost: flag,
});

const instanceInfo = z.object({
  id: z.string().min(1),
  url: z.string(),
  serversUrl: z.string().optional(),
  version: z.string(),
  protocol: z.number(),
  viewers: z.number(),
  startedAtMs: z.number(),
  reachesServers: z.boolean().nullable(),
  beats: z.number(),
  isCandidate: z.boolean(),
});

const lease = texts.transform(parseLease);
export const acquireReply = z.union([
  z.tuple([z.literal(1), lease, lease]),
  z.tuple([z.literal(0), lease]),
]);
export const beatReply = z.tuple([
  z.number(),
  lease,
  z.array(z.union([z.string(), z.number()])).transform(parseInstances),
  z.number(),
  z.coerce.number(),
]);
export const entriesReply = texts;

/** Parses a reply of HGETALL. Undefined: there is no lease, or it is not one. */
function parseLease(reply: string[]): LeaseRecord | undefined {
  const pairs = reply.flatMap((field, i) => (i % 2 === 0 ? [[field, reply[i + 1]] as const] : []));
  return leaseFields.safeParse(Object.fromEntries(pairs)).data;
}

/** Parses what each instance said, followed by its age in milliseconds. Leaves out what is not an instance. */
function parseInstances(reply: (string | number)[]): InstanceRecord[] {
  return reply.flatMap((text, i) => {
    if (typeof text !== 'string') return [];
    const said = instanceInfo.safeParse(parseJson(text)).data;
    return said ? [{ ...said, beatAgoMs: Number(reply[i + 1]) }] : [];
  });
}
