import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Debian's packages ask this program whether they may start their daemons; 101 denies (invoke-rc.d(8)). */
const debianPolicy = '/usr/sbin/policy-rc.d';
const mark = '# Written by the tests of pubsub-dashboard while they install packages.';

/** Runs `install` while no package may start a daemon. Restores the machine's own policy afterwards. */
export function withoutDaemons(install: () => void, policy = debianPolicy): void {
  const own = `${policy}.own`;
  // A policy with the mark was left by a process that was killed: the machine's own is aside already.
  if (existsSync(policy) && !readFileSync(policy, 'utf8').includes(mark)) renameSync(policy, own);
  writeFileSync(policy, denyWhileRunning(own), { mode: 0o755 });
  const restore = () =>
    existsSync(own) ? renameSync(own, policy) : rmSync(policy, { force: true });
  process.once('exit', restore);
  try {
    install();
  } finally {
    process.off('exit', restore);
    restore();
  }
}

/** If this process is killed, the file stays. It then answers as the machine's own policy. */
const denyWhileRunning = (own: string) => `#!/bin/sh
${mark}
kill -0 ${process.pid} 2>/dev/null && exit 101
[ -x '${own}' ] && exec '${own}' "$@"
exit 0
`;
