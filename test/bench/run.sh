#!/usr/bin/env bash
# Every benchmark, or the named ones, one after the other; `--quick` for fewer and shorter rounds.
# They run compiled, as the service does. Figures go to dist/bench/figures.json too, one document of all.
set -uo pipefail
cd "$(dirname "$0")/../.."
quick=()
most=900 # seconds for one benchmark
names=()
for argument in "$@"; do
  if [[ $argument == --quick ]]; then quick=(--quick) most=180; else names+=("$argument"); fi
done
[[ ${#names[@]} -gt 0 ]] || names=(posts fanOut latency activation largeFleet crowd bigRoom awareness worstSnapshot agent metrics past cluster clusterJoin page pageMemory)

# What is started runs in the background, so that a signal is heard at once and what runs ends with it.
started=
stop() {
  trap '' TERM INT
  [[ -z $started ]] || kill "$started" 2>/dev/null
  wait
  exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT
run() {
  # A group of its own, all of which gets the signal; what does not end by it is killed.
  timeout --kill-after=10 "$@" &
  started=$!
  wait "$started"
  local code=$?
  started=
  return "$code"
}

most=$((most + ${BENCH_MINUTES:-0} * 60))
run 300 npx tsc -p test/bench/tsconfig.json || exit 1
# The page, which the service reads beside its modules.
if [[ " ${names[*]} " == *" page"* ]]; then
  run 300 npm run -s build:page || exit 1
  rm -rf dist/bench/server/page
  mkdir -p dist/bench/server
  cp -R dist/server/page dist/bench/server/
fi
# What the service reads besides its modules, where it looks for them.
cp package.json dist/package.json
mkdir -p dist/bench/server/cluster
cp -R server/cluster/scripts dist/bench/server/cluster/
export BENCH_JSON="$PWD/dist/bench/figures.json"
# Every service would print it between the figures.
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
rm -f "$BENCH_JSON"
status=0
for name in "${names[@]}"; do
  began=$SECONDS
  run "$most" node "dist/bench/test/bench/$name.js" "${quick[@]}"
  code=$?
  echo "  ($name: $((SECONDS - began)) s)"
  [[ $code -eq 0 ]] && continue
  status=1
  [[ $code -ne 124 && $code -ne 137 ]] || echo "FAILED $name: not done in $most s"
done
echo
echo "$SECONDS s in all"
exit "$status"
