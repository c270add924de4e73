#!/usr/bin/env bash
# Every benchmark, one after the other; `--quick` for fewer rounds.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0
for bench in activation bigRoom; do
  npx tsx "test/bench/$bench.ts" "$@" || status=1
done
exit "$status"
