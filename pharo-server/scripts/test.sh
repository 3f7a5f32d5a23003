#!/usr/bin/env bash
# Tries install.sh and run.sh with a fake VM that writes down how it was called. Needs no Pharo.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# A folder with blanks and a quote: all paths must survive it.
home="$work/a folder of o'hara"
mkdir -p "$home/pharo vm"
vm="$home/pharo vm/pharo"
export FAKE_LOG=$work/calls FAKE_VERSION=13.0 FAKE_LOAD=well

cat >"$vm" <<'FAKE'
#!/usr/bin/env bash
# Each call is a line, each argument in brackets.
printf '[%s]' "$@" >>"$FAKE_LOG"
printf '\n' >>"$FAKE_LOG"
image=$2
stop_file=
previous=
for word in "$@"; do
  [ "$previous" != --stop-file ] || stop_file=$word
  previous=$word
done
case "$*" in
  *dottedMajorMinor*) printf "'%s'\n" "$FAKE_VERSION" ;;
  *includesKey*) grep -q loaded "$image" && echo true || echo false ;;
  *Metacello*)
    [ "$FAKE_LOAD" = well ] || exit 1
    echo loaded >>"$image"
    ;;
  *' stui '*)
    [ "${FAKE_RUN:-}" != fails ] || exit 3
    [ "${FAKE_RUN:-}" != deaf ] || exec tail -f /dev/null
    echo >"$FAKE_LOG.running"
    while [ ! -e "$stop_file" ]; do sleep 0.02; done
    echo stopped >>"$FAKE_LOG"
    ;;
esac
FAKE
chmod +x "$vm"

fresh() { # a folder as after a download
  rm -rf "${home:?}/base" "$home/out" "$FAKE_LOG" "$FAKE_LOG.running"
  mkdir -p "$home/base"
  echo image >"$home/base/Pharo.image"
  echo changes >"$home/base/Pharo.changes"
  echo sources >"$home/base/Pharo13.sources"
  : >"$FAKE_LOG"
  unset FAKE_RUN
  FAKE_VERSION=13.0 FAKE_LOAD=well
}
wrong() {
  printf 'FAILED: %s: %s\n' "$story" "$*" >&2
  sed 's/^/  call: /' "$FAKE_LOG" >&2
  sed 's/^/  said: /' "$work/said" >&2
  exit 1
}
story() {
  story=$*
  count=$((count + 1))
  fresh
}
install() { "$here/install.sh" --vm "$vm" --image "$home/base/Pharo.image" --dir "$home/out" "$@" >"$work/said" 2>&1; }
run() { "$here/run.sh" --vm "$vm" --image "$home/base/Pharo.image" "$@" >"$work/said" 2>&1; }
run_behind() { # in place of the subshell, so that signals reach it
  exec "$here/run.sh" --vm "$vm" --image "$home/base/Pharo.image" "$@" >"$work/said" 2>&1
}
said() { grep -qF -- "$1" "$work/said" || wrong "nobody said: $1"; }
called() { grep -qF -- "$1" "$FAKE_LOG" || wrong "no call has: $1"; }
not_called() { ! grep -qF -- "$1" "$FAKE_LOG" || wrong "a call has: $1"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_file() {
  for ((i = 0; i < 1500; i++)); do
    [ ! -e "$1" ] || return 0
    sleep 0.02
  done
  wrong "waited in vain for $1"
}

story "installing makes stui.image and leaves the given one alone"
install || wrong "install.sh failed"
[ "$(cat "$home/base/Pharo.image")" = image ] || wrong "the given image was changed"
[ "$(cat "$home/out/stui.image")" = $'image\nloaded' ] || wrong "stui.image is not the loaded one"
[ -f "$home/out/stui.changes" ] || wrong "no stui.changes"
[ -f "$home/out/Pharo13.sources" ] || wrong "the sources are not beside the image"
[ ! -e "$home/out/stui-new.image" ] || wrong "the copy was left behind"
called "[--headless][$home/base/Pharo.image][--no-default-preferences][eval][SystemVersion current dottedMajorMinor]"
called "[--headless][$home/out/stui-new.image][--no-default-preferences][eval][--save][Metacello new baseline: 'Stui';"

story "installing twice loads into the image that is there"
install || wrong "install.sh failed"
install --group core || wrong "install.sh failed"
[ "$(grep -c loaded "$home/out/stui.image")" = 2 ] || wrong "stui.image was not loaded again"
called "load: #( 'core' )"

story "an image of another version is refused"
export FAKE_VERSION=11.0
! install || wrong "it was accepted"
said "is Pharo 11.0; the server needs 12 or 13"
[ ! -e "$home/out/stui.image" ] || wrong "an image was made"

story "a load that fails leaves the old image"
install || wrong "install.sh failed"
export FAKE_LOAD=badly
! install || wrong "the failure was not told"
said "the server could not be loaded"
[ "$(grep -c loaded "$home/out/stui.image")" = 1 ] || wrong "the old image was changed"
[ ! -e "$home/out/stui-new.image" ] || wrong "the copy was left behind"

story "an image that is missing is told"
rm "$home/base/Pharo.image"
! install || wrong "it went on"
said "there is no image $home/base/Pharo.image"
! run || wrong "it went on"
said "there is no image $home/base/Pharo.image; make it with"

story "a VM that is missing is told"
! "$here/run.sh" --vm "$home/none" --image "$home/base/Pharo.image" >"$work/said" 2>&1 || wrong "it went on"
said "there is no program $home/none"

story "options that do not exist are told"
! run --prot 1 || wrong "it went on"
said "there is no option --prot"
! install --group all || wrong "it went on"
said "there is no group all"
! run --port 70000 || wrong "it went on"
said "a port is at most 65535"
! run --port 55x || wrong "it went on"
said "a port is a number"

story "help is there"
"$here/install.sh" --help >"$work/said" && said "--group NAME"
"$here/run.sh" --help >"$work/said" && said "--events-port N"

story "the image runs with its options, and stops when asked"
port=$(free_port)
run_behind --port "$port" --events-port none --transport zmtp --contexts "$home/saved contexts" &
runner=$!
until_file "$FAKE_LOG.running"
kill -TERM "$runner"
wait "$runner" || wrong "a stop that was asked for is no failure"
called "[--headless][$home/base/Pharo.image][--no-default-preferences][stui][--port][$port][--events-port][none][--stop-file]["
called "[--transport][zmtp][--contexts][$home/saved contexts]"
called stopped
said "asked to stop"

story "an image that does not stop is ended"
export FAKE_RUN=deaf
export STUI_STOP_SECONDS=1
run_behind --port "$(free_port)" --events-port none &
runner=$!
until grep -qF '[stui]' "$FAKE_LOG"; do sleep 0.02; done
kill -TERM "$runner"
wait "$runner" || wrong "a stop that was asked for is no failure"
said "the image did not end within 1 s"

story "the status of an image that fails is told"
export FAKE_RUN=fails
status=0
run --port "$(free_port)" --events-port none || status=$?
[ "$status" = 3 ] || wrong "the status was $status"

story "a busy port is told before the VM starts"
python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
open(sys.argv[1] + ".part", "w").write(str(s.getsockname()[1]))
import os; os.rename(sys.argv[1] + ".part", sys.argv[1])
sys.stdin.read()' "$work/busy" < <(tail -f /dev/null --pid=$$) &
holder=$!
until_file "$work/busy"
! run --port "$(cat "$work/busy")" || wrong "it went on"
said "is in use: stop what listens there"
not_called "[stui]"
kill "$holder"

printf '%s stories of the scripts: all well\n' "$count"
