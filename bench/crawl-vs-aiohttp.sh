#!/usr/bin/env bash
# Fetches PAGES pages with LIMIT at once from one server, ROUNDS times in a process (the first rounds are warm-up), with BoundedCrawl on each JDK and with
# aiohttp on uvloop, and prints the requests per second of each round. Usage: bench/crawl-vs-aiohttp.sh [PAGES] [LIMIT] [ROUNDS]     (10000 100 6)
# JDKS names the JDK folders to compare, the first one also runs the server; PYTHON a python3 with aiohttp and uvloop.
set -euo pipefail

pages=${1:-10000} limit=${2:-100} rounds=${3:-6}
read -ra jdks <<< "${JDKS:-$HOME/.cache/jdks/jdk-25 $HOME/.cache/jdks/jdk-21 $HOME/.cache/jdks/jdk-27}"
python=${PYTHON:-/usr/bin/python3}
here=$(cd "$(dirname "$0")/.." && pwd)
"$python" -c 'import aiohttp, uvloop' 2>/dev/null || { echo "$python has no aiohttp or no uvloop; PYTHON names one that has" >&2; exit 2; }
for jdk in "${jdks[@]}"; do
  [ -x "$jdk/bin/java" ] || { echo "$jdk: no JDK there; JDKS names the folders" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
"${jdks[0]}/bin/javac" --release 21 -d "$work" "$here/examples/http/BoundedCrawl.java" "$here/bench/CrawlBench.java"
"${jdks[0]}/bin/java" -cp "$work" CrawlBench serve > "$work/port" &
server=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
port=$(cat "$work/port")

echo "$pages pages of 1,000 bytes, $limit at once, requests per second by round; $(nproc) processors, shared with the server"
"$python" "$here/bench/crawl_aiohttp.py" "$port" "$pages" "$limit" 2 > /dev/null # warms the server
printf '%-28s' "$("$python" -c 'import aiohttp, uvloop, platform; print("aiohttp", aiohttp.__version__ + ", uvloop", uvloop.__version__)')"
"$python" "$here/bench/crawl_aiohttp.py" "$port" "$pages" "$limit" "$rounds"
for jdk in "${jdks[@]}"; do
  printf '%-28s' "BoundedCrawl, $(basename "$jdk")"
  "$jdk/bin/java" -cp "$work" CrawlBench crawl "$port" "$pages" "$limit" "$rounds"
done
