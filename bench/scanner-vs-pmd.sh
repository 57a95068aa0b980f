#!/usr/bin/env bash
# Runs PMD's multithreading rules and the scanner in turn over a copy of the main sources of SOURCE_DIR, and prints wall time, CPU time and peak
# memory of each run. Usage: bench/scanner-vs-pmd.sh SOURCE_DIR [PMD_VERSION] [RUNS]      (7.27.0 and 3, if not given)
# Needs GNU time, a JDK of 21 or later (JAVA names its java) and, the first time for a PMD version, Maven.
# PMD_THREADS, PMD_HEAP (2, 3g) are PMD's; SCANNER_ARGS (--release 21) the scanner's, whose first run after a change compiles it.
set -euo pipefail

source_dir=${1:?usage: bench/scanner-vs-pmd.sh SOURCE_DIR [PMD_VERSION] [RUNS]}
pmd_version=${2:-7.27.0}
runs=${3:-3}
java=${JAVA:-java}
here=$(cd "$(dirname "$0")/.." && pwd)
lib=$here/target/pmd-$pmd_version
[ -d "$source_dir" ] || { echo "$source_dir: no such folder" >&2; exit 2; }
[ -x /usr/bin/time ] || { echo "needs GNU time as /usr/bin/time (package: time)" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -d "$lib" ]; then
  cat > "$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>pmd</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>net.sourceforge.pmd</groupId><artifactId>pmd-java</artifactId><version>$pmd_version</version></dependency>
    <dependency><groupId>net.sourceforge.pmd</groupId><artifactId>pmd-cli</artifactId><version>$pmd_version</version></dependency>
  </dependencies>
</project>
POM
  rm -rf "$lib.part"
  mvn -B -ntp -q -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib.part"
  mv "$lib.part" "$lib"
fi

mkdir "$work/src"
(cd "$source_dir" && find . -name '*.java' -not -name module-info.java -not -path '*/test/*' -print0 | tar -c --null -T -) | tar -x -C "$work/src"
echo "$(find "$work/src" -name '*.java' | wc -l) files, $(find "$work/src" -name '*.java' -exec cat {} + | wc -l) lines; PMD $pmd_version;" \
  "$("$java" -version 2>&1 | head -1); $(nproc) cores"
printf '%-10s %4s %9s %8s %9s %9s %5s\n' tool run 'wall s' 'CPU s' 'peak MB' findings exit

measure() { # tool, run, pattern of a line that is a finding, command...
  local tool=$1 run=$2 finding=$3 code=0; shift 3
  /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" > "$work/out" 2> "$work/err" || code=$?
  # 4: PMD found something, 5 or 1: but not in every file; 1 and 2 are the scanner's words for the same
  case $tool$code in
    pmd[045] | scanner[012]) ;;
    pmd1) grep -q 'Found [0-9]* violations' "$work/err" || { tail -5 "$work/err" >&2; exit 1; } ;;
    *) tail -5 "$work/err" >&2; echo "$tool ended with $code" >&2; exit 1 ;;
  esac
  tail -1 "$work/time" | awk -v tool="$tool" -v run="$run" -v n="$(grep -cE "$finding" "$work/out" || true)" -v code="$code" \
    '{ printf "%-10s %4d %9.1f %8.1f %9d %9d %5d\n", tool, run, $1, $2 + $3, $4 / 1024, n, code }'
}

for run in $(seq "$runs"); do
  measure pmd "$run" '^[^ ]+:[0-9]+:' "$java" "-Xmx${PMD_HEAP:-3g}" -cp "$lib/*" net.sourceforge.pmd.cli.PmdCli check --no-progress --no-cache \
    -t "${PMD_THREADS:-2}" -f text -R category/java/multithreading.xml -d "$work/src"
  # shellcheck disable=SC2086
  measure scanner "$run" ': (error|warning|note) \[' "$java" "$here/scripts/FindBlockingCalls.java" ${SCANNER_ARGS:---release 21} "$work/src"
done
