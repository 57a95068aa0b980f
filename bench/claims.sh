#!/usr/bin/env bash
# Runs Claims.java with a JDK of 21 or later, whatever java is in front. Usage: bench/claims.sh [21,25,27] [CLAIM...]
set -euo pipefail
cd "$(dirname "$0")/.."
for java in "${JAVA_HOME:-/none}/bin/java" "$(command -v java || true)" "$HOME"/.cache/jdks/*/bin/java /usr/lib/jvm/*/bin/java; do
  if [ -x "$java" ] && "$java" -version 2>&1 | head -1 | grep -qE '"(2[1-9]|[3-9][0-9])'; then
    exec "$java" bench/Claims.java "$@"
  fi
done
echo "claims: found no JDK of 21 or later; JAVA_HOME names one" >&2
exit 2
