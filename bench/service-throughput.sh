#!/usr/bin/env bash
# Requests a second, and the 99th percentile of their latency, over kept connections: assets/service, a plain HttpServer, aiohttp on uvloop. One run, rounds interleaved, medians.
#   bench/service-throughput.sh                          JDK: JAVA_HOME or the java in front
#   SECONDS_EACH=10 ROUNDS=5 JDKS="DIR DIR" bench/service-throughput.sh
# Needs aiohttp and uvloop for PYTHON (default /usr/bin/python3), and wrk; without wrk a load generator in Java, which takes more of the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-4} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-64} python=${PYTHON:-/usr/bin/python3}
jdks=${JDKS:-${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cat > "$work/post.lua" <<'LUA'
wrk.method = "POST"
wrk.body = '{"item":"tea","count":3}'
wrk.headers["Content-Type"] = "application/json"
LUA
command -v wrk > "$work/wrk" || { first=${jdks%% *}; "$first/bin/javac" -d "$work" bench/ServiceLoad.java; }

load() { # URL SECONDS get|post -> requests a second
  local out
  if [ -s "$work/wrk" ]; then
    if [ "$3" = post ]; then set -- "$1" "$2" -s "$work/post.lua"; else set -- "$1" "$2"; fi
    out=$(wrk --latency -t1 -c"$connections" -d"$2s" "${@:3}" "$1")
  elif [ "$3" = post ]; then
    out=$("$first/bin/java" -cp "$work" ServiceLoad "$1" "$2" "$connections" '{"item":"tea","count":3}')
  else
    out=$("$first/bin/java" -cp "$work" ServiceLoad "$1" "$2" "$connections")
  fi
  if grep -q 'Non-2xx\|Socket errors' <<< "$out"; then echo "wrong answers from $1:" >&2; echo "$out" >&2; return 1; fi
  awk '/^Requests\/sec:/ { rate = $2 } $1 == "99%" { late = $2 } END { printf "%d %s\n", rate, late }' <<< "$out"
}

names=() ports=() port=${PORT_BASE:-18080}
serve() { # NAME COMMAND...
  names+=("$1") ports+=("$port")
  PORT=$port "${@:2}" > /dev/null 2> "$work/err-$port" &
  pids+=($!)
  for _ in $(seq 100); do
    if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then port=$((port + 1)); return; fi
    sleep 0.1
  done
  echo "$1 did not start:" >&2; cat "$work/err-$port" >&2; exit 1
}

for jdk in $jdks; do
  version=$("$jdk/bin/java" -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p')
  mkdir "$work/$version"
  "$jdk/bin/javac" -d "$work/$version" assets/service/src/main/java/service/*.java bench/PlainServer.java
  serve "service, JDK $version" "$jdk/bin/java" -cp "$work/$version" service.Main
  serve "service, no access log, JDK $version" env ACCESS_LOG=0 "$jdk/bin/java" -cp "$work/$version" service.Main
  serve "plain HttpServer, JDK $version" "$jdk/bin/java" -cp "$work/$version" PlainServer $port
done
if "$python" -c 'import aiohttp, uvloop' 2> /dev/null; then
  serve "aiohttp $("$python" -c 'import aiohttp; print(aiohttp.__version__)') on uvloop" "$python" bench/aiohttp_server.py $port
else
  echo "aiohttp or uvloop is missing for $python: not compared" >&2
fi

for ((round = 0; round <= rounds; round++)); do # round 0 warms up
  for i in "${!names[@]}"; do
    load "http://127.0.0.1:${ports[i]}/hello/you" "$seconds" get > "$work/rate"; [ "$round" = 0 ] || cat "$work/rate" >> "$work/get-$i"
    load "http://127.0.0.1:${ports[i]}/orders" "$seconds" post > "$work/rate"; [ "$round" = 0 ] || cat "$work/rate" >> "$work/post-$i"
  done
done
median() { sort -n "$1" | awk '{ v[NR] = $0 } END { print v[int((NR + 1) / 2)] }'; }
echo "requests/s and latency at 99 %, median of $rounds, $connections kept connections, $seconds s each, $(nproc) processors, $( [ -s "$work/wrk" ] && echo wrk || echo ServiceLoad)"
printf '%-45s %18s %18s\n' '' GET POST
for i in "${!names[@]}"; do
  printf '%-45s %18s %18s\n' "${names[i]}" "$(median "$work/get-$i")" "$(median "$work/post-$i")"
done
[ -d /proc/self ] || exit 0
echo; echo "resident memory, ${IDLE:=1000} connections at a time"
for i in "${!names[@]}"; do
  echo "${names[i]}"
  "${jdks%% *}/bin/java" bench/ServiceMemory.java "http://127.0.0.1:${ports[i]}" "${pids[i]}" "$IDLE"
done
