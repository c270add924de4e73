import { fromCallback } from 'xstate';
import type { ElectionEvent, ElectionRequest } from '../../machines/ports.js';
import type { Lease } from './lease.js';

/** The slot `election` of the instance's machine. `onEvent`: called with what the machine is told. */
export const createElection = (lease: Lease, onEvent: (event: ElectionEvent) => void = () => {}) =>
  fromCallback<ElectionRequest>(({ sendBack, receive }) => {
    receive((request) => {
      if (request.type === 'campaign.requested') lease.campaign();
      else lease.release(request.backOffMs);
    });
    return lease.elect((event) => {
      onEvent(event);
      sendBack(event);
    });
  });
