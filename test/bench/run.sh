#!/usr/bin/env bash
# Every benchmark, or the named ones, one after the other; `--quick` for fewer and shorter rounds.
# They run compiled, as the service does. Figures go to dist/bench/figures.json too, a line for each table.
set -uo pipefail
cd "$(dirname "$0")/../.."
quick=()
names=()
for argument in "$@"; do
  if [[ $argument == --quick ]]; then quick=(--quick); else names+=("$argument"); fi
done
[[ ${#names[@]} -gt 0 ]] || names=(posts fanOut latency activation largeFleet crowd bigRoom)
npx tsc -p test/bench/tsconfig.json || exit 1
export BENCH_JSON="$PWD/dist/bench/figures.json"
rm -f "$BENCH_JSON"
status=0
for name in "${names[@]}"; do
  node "dist/bench/test/bench/$name.js" "${quick[@]}" || status=1
done
exit "$status"
