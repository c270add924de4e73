import { request } from 'node:http';

/** Posts without a token from another address of this machine, as a server does that is not known. */
export function postFrom(localAddress: string, serviceUrl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = `${serviceUrl}/api/events`;
    const posting = request(url, { method: 'POST', localAddress }, (response) => {
      response.resume().once('end', resolve);
    });
    posting.once('error', reject);
    posting.end('{}');
  });
}
