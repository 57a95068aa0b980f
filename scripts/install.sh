#!/usr/bin/env bash
# Puts the skill where a coding agent finds it; `bash scripts/install.sh --help` says how. For bash 3.2 (macOS) and later.
# shellcheck disable=SC2317 # attempt and trap call functions by name
[ -n "$BASH_VERSION" ] || { echo "install.sh: needs bash; run: bash scripts/install.sh" >&2; exit 2; }
set +o posix # as when macOS runs it with sh

SKILL=java-async-patterns
SHIPPED="SKILL.md LICENSE CHANGELOG.md references examples scripts assets src/test/java/*.java" # CopyPattern --tests, --outdated
EXAMPLE=examples/tasks/TaskGroup.java # run on each JDK as the check
MANIFEST=.install-manifest # in the installed folder: checksum, size and path of each file as it was installed
OLDEST=21

# set here, so that a variable of the user's never reaches an rm or a kill
work='' created='' child='' jdks='' works='' broken='' unreadable='' kept=''

usage() {
  cat <<HELP
Usage: bash scripts/install.sh [--project [DIR] | --to DIR]

Copies the skill for coding agents, runs one example on each JDK $OLDEST or later that it finds, compiles the tools into
~/.cache/$SKILL, and prints what is ready.

  (no option)      into ~/.claude/skills/$SKILL: for all your projects
  --project [DIR]  into DIR/.claude/skills/$SKILL: for the project in DIR (the current folder)
  --to DIR         into DIR/$SKILL, for any other agent
  --help           this text

Run it again to update. If you edited a skill file, it is replaced and your version is kept as FILE.user. Files that you
added stay. To remove the skill, delete its folder. The script looks for JDKs in JAVA_HOME, JAVA_HOME_NN_ARCH, PATH,
/usr/lib/jvm, ~/.sdkman/candidates/java, ~/.jdks, ~/.cache/jdks and /Library/Java/JavaVirtualMachines. If
JAVA_ASYNC_PATTERNS_JDKS is set, it looks only in the JDK homes listed there (separated by colons).

Exit code: 0 installed; 1 a folder cannot be read or written, or another installation is running; 2 wrong option, or the
copy to install from is incomplete; 3 no JDK $OLDEST or later; 4 something of yours is where the skill would go; 5 the
example fails on a JDK (if it works on another, the skill is installed); 129, 130, 143 stopped by a signal. An earlier
installation is replaced in one step at the very end: if something fails before, it stays as it was.
HELP
}

say_error() {
  printf 'install.sh: %s\n' "$1" >&2
}

progress() { # on a terminal only
  [ ! -t 2 ] || printf 'install.sh: %s ...\n' "$1" >&2
}

fail() { # fail CODE TEXT
  say_error "$2"
  exit "$1"
}

# attempt WHAT COMMAND...: where the command fails, says what could not be done and why, in the system's words.
attempt() {
  local what=$1 why
  shift
  why=$("$@" 2>&1 >/dev/null) && return
  why=${why##*$'\n'}
  fail 1 "cannot $what: ${why##*: }; fix that or choose another folder with --to DIR (nothing was changed)"
}

parse_arguments() {
  local where=
  case $1 in
    '') where=${HOME:+$HOME/.claude/skills} ;;
    --help | -h) usage; exit 0 ;;
    --project)
      where=${2-.}
      [ -d "$where" ] || fail 2 "no such project folder: $where"
      where=$(CDPATH='' cd -- "$where" && pwd)/.claude/skills ;;
    --to) where=$2; [ -n "$where" ] || fail 2 "--to needs a folder: --to DIR" ;;
    *) fail 2 "unknown option '$1'; see --help" ;;
  esac
  [ -n "$where" ] || fail 2 "HOME is not set; name the folder with --project DIR or --to DIR"
  [ $# -le 2 ] || fail 2 "unexpected '$3'; see --help"
  case $where in /*) ;; *) where=$PWD/$where ;; esac
  parent=${where%/}
  target=$parent/$SKILL
  parent=${parent:-/}
}

check_source() {
  source=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
  local name
  for name in SKILL.md LICENSE "$EXAMPLE"; do
    [ -f "$source/$name" ] || fail 2 "$source is not a whole copy of the skill: $name is missing; clone or unpack it again"
  done
}

check_target() {
  if [ -L "$target" ] || { [ -e "$target" ] && [ ! -d "$target" ]; }; then
    fail 4 "$target is not a folder; move it away and run this again (nothing was changed)"
  fi
  [ -d "$target" ] || return 0
  if [ "$(CDPATH='' cd -- "$target" && pwd -P)" = "$source" ]; then
    fail 2 "$target is the copy this script is part of; to update it run install.sh of the new version"
  fi
  attempt "read $target" ls -A "$target"
  if [ ! -f "$target/$MANIFEST" ] && [ -n "$(ls -A "$target")" ]; then
    fail 4 "$target was not put there by this script, or not wholly; move it away and run this again (nothing was changed)"
  fi
}

jdk_homes() {
  local variable
  if [ -n "${JAVA_ASYNC_PATTERNS_JDKS+set}" ]; then
    printf '%s\n' "$JAVA_ASYNC_PATTERNS_JDKS" | tr ':' '\n'
    return
  fi
  for variable in ${!JAVA_HOME@}; do
    printf '%s\n' "${!variable}"
  done
  java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p'
  printf '%s\n' /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.cache/jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home
}

# Sets jdks: a line "FEATURE HOME" for each feature version from OLDEST on, in their order.
find_jdks() {
  local home feature found=,
  while IFS= read -r home; do
    home=$(CDPATH='' cd -- "${home:-/none}" 2>/dev/null && pwd) || continue
    [ -x "$home/bin/java" ] || continue
    feature=$("$home/bin/java" -XshowSettings:properties -version 2>&1 </dev/null |
      LC_ALL=C sed -n 's/^ *java\.specification\.version = \(1\.\)*\([0-9][0-9]*\).*/\2/p')
    [ -n "$feature" ] || continue
    [ -x "$home/bin/javac" ] || feature="$feature without compiler"
    case $found in *", $feature,"*) continue ;; esac
    found="$found $feature,"
    if [ "${feature%% *}" = "$feature" ] && [ "$feature" -ge $OLDEST ]; then
      jdks="$jdks$feature $home"$'\n'
    fi
  done < <(jdk_homes)
  jdks=$(printf '%s' "$jdks" | sort -n)
  [ -z "$jdks" ] || return 0
  found=${found#,}
  found=${found%,}
  fail 3 "no JDK of $OLDEST or later found (found:${found:- none}); install one, or set JAVA_HOME to it (nothing was changed)"
}

# Leaves the target either as it was or wholly new, and nothing beside it.
cleanup() {
  if [ -n "$child" ]; then
    kill "$!" 2>/dev/null
    wait "$!" 2>/dev/null
  fi
  if [ -n "$work" ] && [ ! -e "$target" ] && [ -d "$work/old" ] && ! mv "$work/old" "$target" 2>/dev/null; then
    say_error "your earlier installation is in $work/old; the next run puts it back"
    return
  fi
  [ -z "$work" ] || rm -rf "$work" 2>/dev/null
  if [ -n "$created" ] && [ ! -e "$target" ]; then
    find "$created" -depth -type d -exec rmdir {} \; 2>/dev/null
  fi
}

# Makes the folder to work in. It is beside the target, so that a rename moves between them, and the copies are one level down in
# it, where no agent takes an unfinished one for a skill.
start_work() {
  local folder=$parent pid
  while [ -n "$folder" ] && [ ! -e "$folder" ]; do
    created=$folder
    folder=${folder%/*}
  done
  local beside=$parent/.$SKILL.install
  if [ -d "$beside" ]; then
    pid=$(cat "$beside/pid" 2>/dev/null)
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
      fail 1 "another run (process $pid) is at work; if that is not so, delete $beside/pid (nothing was changed)"
    fi
    if [ ! -e "$target" ] && [ -d "$beside/old" ]; then
      attempt "put back the installation an interrupted run had set aside" mv "$beside/old" "$target"
    fi
    attempt "delete what an interrupted run left in $beside" rm -rf "$beside"
    echo "An earlier run had been interrupted; cleaned up."
  fi
  trap cleanup EXIT
  attempt "create $parent" mkdir -p "$parent"
  attempt "write in $parent" mkdir "$beside"
  work=$beside
  attempt "write in $work" write_line "$work/pid" $$
  attempt "write in $work" mkdir "$work/new"
}

write_line() { # write_line FILE TEXT
  printf '%s\n' "$2" >"$1"
}

shipped() { # the files an agent needs, one path a line: nothing hidden, nothing generated
  cd "$source" || return
  local entry
  set --
  for entry in $SHIPPED; do
    [ ! -e "$entry" ] || set -- "$@" "$entry"
  done
  find "$@" -name '.*' -prune -o -type f ! -name '*.class' ! -name '*~' ! -name 'hs_err_pid*.log' -print
}

checksums() { # checksums FOLDER
  cd "$1" && find . -type f ! -path "./$MANIFEST" -exec cksum {} +
}

copy_new() {
  local folder
  attempt "read $source" list_into "$work/files" shipped
  LC_ALL=C sed 's|/*[^/]*$||' "$work/files" | LC_ALL=C sort -u >"$work/folders"
  while IFS= read -r folder; do
    attempt "write in $parent" mkdir -p "$work/new/$folder"
    attempt "copy $source/${folder:-.} to $parent" copy_folder "$folder"
  done <"$work/folders"
  attempt "write in $parent" chmod +x "$work"/new/scripts/*.sh
  attempt "write in $parent" list_into "$work/new/$MANIFEST" checksums "$work/new"
}

copy_folder() { # of the files to copy those that lie just there; a call for each file would take most of the time
  local file
  set -- "$1"
  while IFS= read -r file; do
    case $file in */*) [ "${file%/*}" = "$1" ] ;; *) [ -z "$1" ] ;; esac && set -- "$@" "$source/$file"
  done <"$work/files"
  local to=$work/new/$1
  shift
  cp "$@" "$to"
}

list_into() { # list_into FILE COMMAND...
  local file=$1
  shift
  ("$@") >"$file"
}

# The paths in the installed folder that are not as they were installed, one a line.
users_files() {
  (checksums "$target") >"$work/have" || return
  LC_ALL=C grep -vxFf "$target/$MANIFEST" "$work/have" >"$work/changed" || [ $? -eq 1 ] || return
  LC_ALL=C cut -d ' ' -f 3- "$work/changed" || return
  cd "$target" && find . ! -type d ! -type f
}

keep_users_files() {
  local file aside n
  [ -f "$target/$MANIFEST" ] || return 0
  attempt "read $target" list_into "$work/users" users_files
  while IFS= read -r file; do
    file=${file#./}
    aside=$file
    if [ -e "$work/new/$file" ]; then
      cmp -s "$target/$file" "$work/new/$file" && continue
      aside=$file.user
      n=2
      while [ -e "$work/new/$aside" ] || [ -e "$target/$aside" ]; do
        aside=$file.user$n
        n=$((n + 1))
      done
      kept="$kept"$'\n'"Kept the $file you had changed as $aside."
    else
      kept="$kept"$'\n'"Kept your file $file."
    fi
    attempt "keep your file $target/$file" mkdir -p "$work/new/$(dirname -- "$aside")"
    attempt "keep your file $target/$file" cp -pPR "$target/$file" "$work/new/$aside"
  done <"$work/users"
}

run_example() { # run_example JDK: compiled by the first one, as a program for JDK 21 and later is
  child=yes # before it starts: a signal may come between its start and the next command
  (cd "$work" || exit
    [ -f classes/TaskGroup.class ] || "$1/bin/javac" -J-XX:TieredStopAtLevel=1 -d classes "new/$EXAMPLE" || exit
    exec "$1/bin/java" -XX:TieredStopAtLevel=1 -cp classes TaskGroup) >"$work/log" 2>&1 </dev/null &
  wait "$!"
  local status=$?
  child=
  return $status
}

check_new() {
  local feature home
  while read -r feature home; do
    progress "running $EXAMPLE on JDK $feature"
    if run_example "$home"; then
      works="${works:+$works, }$feature"
    elif [ -n "$(printf %s "$target" | LC_ALL=C tr -d ' -~')" ] && LC_ALL=C.UTF-8 run_example "$home"; then
      works="${works:+$works, }$feature"
      unreadable=yes
    else
      broken="${broken:+$broken; }JDK $feature in $home: $(LC_ALL=C grep -iE -m 1 'error|exception' "$work/log")"
    fi
  done < <(printf '%s\n' "$jdks")
  [ -n "$works" ] || fail 5 "$EXAMPLE fails on $broken; does that JDK run other programs? (nothing was changed)"
}

swap() {
  if [ -d "$target" ]; then
    attempt "replace $target" mv "$target" "$work/old"
  fi
  attempt "put the new copy to $target" mv "$work/new" "$target"
}

# Has each tool compile itself into the user's cache, so that its first use is as quick as any other.
warm_tools() {
  local java=java tool
  if [ -n "${JAVA_ASYNC_PATTERNS_JDKS+set}" ] || ! command -v java >/dev/null; then
    java=${jdks%%$'\n'*}
    java=${java#* }/bin/java
  fi
  progress "preparing the tools"
  child=yes
  (for tool in CopyPattern FindBlockingCalls ExploreSchedules; do
    "$java" -XX:TieredStopAtLevel=1 "$target/scripts/$tool.java" --help &
  done
  wait) >/dev/null 2>&1 </dev/null &
  wait "$!"
  child=
}

report() {
  local files
  files=$(wc -l <"$target/$MANIFEST")
  printf 'Installed in %s (%d files).%s\n' "$target" "$files" "$kept"
  echo "$EXAMPLE works on JDK $works."
  if [ -n "$unreadable" ]; then
    echo "Java reads a folder of this name in a UTF-8 locale only: export LC_ALL=C.UTF-8 where the agent runs."
  fi
  echo 'Start a new session of your agent and ask it first:'
  echo '  "Which JDK does this project build with, and what does that mean for its concurrent code?"'
  echo '  "In Java, fetch the URLs in urls.txt, at most 20 at a time, and cancel the rest when one fails."'
}

main() {
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  parse_arguments "$@"
  check_source
  check_target
  find_jdks
  start_work
  check_target
  progress "copying"
  copy_new
  keep_users_files
  check_new
  swap
  warm_tools
  report
  [ -z "$broken" ] || fail 5 "$EXAMPLE fails on $broken; use the skill with the other JDKs only"
}

# read whole before it starts: an update may replace this very file
main "$@"
exit
