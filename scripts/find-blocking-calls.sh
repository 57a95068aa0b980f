#!/usr/bin/env bash
# Runs the scanner: find-blocking-calls.sh [option ...] [file or folder ...], see --help. Exit codes: the scanner's; 2 if it cannot be started.
# Does what FindBlockingCalls.java does, and starts faster where that has left a shortcut in the user's cache.

self=${BASH_SOURCE[0]}
while [[ -L $self ]]; do
  link=$(readlink -- "$self")
  [[ $link == /* ]] || link=$(dirname -- "$self")/$link
  self=$link
done
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P) || exit 2
case ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} in
  C | POSIX) export LC_ALL=C.UTF-8 ;; # for files with other than English names
esac

key=$({
  printf '%s\n' "$here" "$JAVA_HOME" "$JAVA_TOOL_OPTIONS" "$JDK_JAVA_OPTIONS"
  cat -- "$here"/scanner/*.java "$here"/scanner/*/*.java
} | cksum)
shortcut=${XDG_CACHE_HOME:-$HOME/.cache}/java-async-patterns/sh-${key// /-}
if [[ -r $shortcut ]]; then
  { read -r _ jdk && read -r _ jar; } <"$shortcut"
  if [[ -x $jdk/bin/java && -r $jar && $shortcut -nt $jdk/release ]]; then
    exec "$jdk/bin/java" "@$shortcut" "$@"
  fi
fi

# Whether a folder holds a JDK of 21 or later, with its compiler: each JDK has a file that says.
is_new_enough() {
  local line version=0
  [[ -x $1/bin/javac && -r $1/release ]] || return 1
  while IFS= read -r line; do
    [[ $line == JAVA_VERSION=* ]] && version=${line//[!0-9.]/}
  done <"$1/release"
  [[ ${version%%.*} -ge 21 ]]
}

# The compiler starts in less time if nobody verifies the JDK's classes.
setup=(-XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote
  -cp "$here/scanner" "$here/scanner/Setup.java" "$here/scanner")
shopt -s nullglob
for jdk in "$JAVA_HOME" "$JAVA_HOME_25_X64" "$JAVA_HOME_21_X64" /usr/lib/jvm/* ~/.sdkman/candidates/java/* ~/.jdks/* ~/.cache/jdks/* \
  {,~}/Library/Java/JavaVirtualMachines/*/Contents/Home; do
  is_new_enough "$jdk" && exec "$jdk/bin/java" "${setup[@]}" "$shortcut" "$@"
done
if command -v java >/dev/null; then # it may know where a newer one is
  exec java "${setup[@]}" "$shortcut" "$@"
fi
echo "find-blocking-calls: no JDK of 21 or later found; install one, or set JAVA_HOME to where one is" >&2
exit 2
