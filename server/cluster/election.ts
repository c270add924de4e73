import { fromCallback } from 'xstate';
import type { ElectionEvent, ElectionRequest } from '../../machines/ports.js';
import type { Lease } from './lease.js';

/** The slot `election` of the instance's machine. */
export const createElection = (lease: Lease) =>
  fromCallback<ElectionRequest>(({ sendBack, receive }) => {
    receive((request) => {
      if (request.type === 'campaign.requested') lease.campaign();
      else lease.release('the lease was released', request.backOffMs);
    });
    return lease.elect((event: ElectionEvent) => sendBack(event));
  });
