#!/usr/bin/env bash
# Prints wall time, CPU time and peak memory of the scanner on a module of 100 files, cold and warm, of --changed in a whole repository, and of
# one, two and more copies of it. Usage: bench/scanner-startup.sh SOURCE_DIR [RUNS] [COPIES]      (5 and 4, if not given; 0 copies leaves growth out)
# SOURCE_DIR: a large tree of Java files, such as Kafka's. Needs GNU time, git and a JDK of 21 or later (JAVA names its java).
set -euo pipefail

source_dir=${1:?usage: bench/scanner-startup.sh SOURCE_DIR [RUNS] [COPIES]}
runs=${2:-5}
copies=${3:-4}
java=${JAVA:-java}
here=$(cd "$(dirname "$0")/.." && pwd)
[ -d "$source_dir" ] || { echo "$source_dir: no such folder" >&2; exit 2; }
[ -x /usr/bin/time ] || { echo "needs GNU time as /usr/bin/time (package: time)" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache JAVA_HOME
JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v "$java")")")")

mkdir "$work/all" "$work/module"
(cd "$source_dir" && find . -name '*.java' -not -name module-info.java -not -path '*/test/*' -print0 | tar -c --null -T -) | tar -x -C "$work/all"
(cd "$work/all" && find . -name '*.java' | LC_ALL=C sort | awk 'NR <= 100' | tar -c -T -) | tar -x -C "$work/module"
echo "$("$java" -version 2>&1 | head -1); $(nproc) cores; module: 100 files, $(find "$work/module" -name '*.java' -exec cat {} + | wc -l) lines"
printf '%-34s %4s %8s %8s %9s %9s\n' what run 'wall s' 'CPU s' 'peak MB' findings

measure() { # what, run, command...
  local what=$1 run=$2 code=0; shift 2
  /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" > "$work/out" 2> "$work/err" || code=$?
  [ "$code" -lt 2 ] || { tail -5 "$work/err" >&2; echo "the scanner ended with $code" >&2; exit 1; }
  tail -1 "$work/time" | awk -v what="$what" -v run="$run" -v n="$(grep -cE ': (error|warning|note) \[' "$work/out" || true)" \
    '{ printf "%-34s %4d %8.2f %8.2f %9d %9d\n", what, run, $1, $2 + $3, $4 / 1024, n }'
}

settle() { # what a cold start leaves to the background has a file there
  while compgen -G "$XDG_CACHE_HOME/java-async-patterns/*.tmp" > /dev/null; do sleep 0.1; done
}

sh=$here/scripts/find-blocking-calls.sh launcher=$here/scripts/FindBlockingCalls.java
for run in $(seq "$runs"); do
  rm -rf "$XDG_CACHE_HOME"
  measure 'module, cold, .sh' "$run" bash "$sh" --release 21 "$work/module"
  settle
done
for run in $(seq "$runs"); do measure 'module, warm, .sh' "$run" bash "$sh" --release 21 "$work/module"; done
measure 'module, first, java' 0 "$java" "$launcher" --release 21 "$work/module"
settle
for run in $(seq "$runs"); do measure 'module, warm, java' "$run" "$java" "$launcher" --release 21 "$work/module"; done

git -C "$work/all" init -q
git -C "$work/all" add -A
git -C "$work/all" -c user.name=bench -c user.email=bench@localhost commit -qm all
changed=$(cd "$work/all" && grep -rlE 'synchronized|\.get\(\)' --include=*.java . | LC_ALL=C sort | awk 'NR == 40')
echo "// changed" >> "$work/all/$changed"
for run in $(seq "$runs"); do measure "--changed: ${changed##*/}" "$run" bash "$sh" --release 21 --changed "$work/all"; done
rm -rf "$work/all/.git"

mkdir "$work/growth"
for copy in $(seq "$copies"); do
  cp -rl "$work/all" "$work/growth/copy$copy"
  lines=$(find "$work/growth" -name '*.java' -exec cat {} + | wc -l)
  measure "$copy copies, $lines lines" 1 bash "$sh" --release 21 "$work/growth"
done
