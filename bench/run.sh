#!/usr/bin/env bash
# Measures anew everything that README.md and references/performance.md quote, and rewrites bench/results and the tables between the
# markers of both pages: Compare.java (options: --help; about 12 minutes), then Claims.java (about 2). The machine is to be idle.
set -euo pipefail
cd "$(dirname "$0")/.."
java bench/Compare.java "$@"
if [ $# -eq 0 ]; then
  bench/claims.sh
fi
