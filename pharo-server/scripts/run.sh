#!/usr/bin/env bash
# Runs stui.image as a server until it is told to stop (SIGTERM, SIGINT, SIGHUP).
#
#   run.sh [--vm FILE] [--image FILE] [--port N] [--events-port N|none] [OPTION ...]
#
#   --vm FILE        the Pharo VM (default: pharo-vm/pharo beside the image, then pharo on the PATH)
#   --image FILE     the image (default: the one that install.sh makes)
#   --port N         port for requests on 127.0.0.1 (5555)
#   --events-port N  port for events on 127.0.0.1 (5556), none for no events
#
# Other options go to the image: --transport NAME, --contexts DIR, --endpoint URL,
# --events-endpoint URL, --allow-exit. `run.sh --image-help` shows the image's own help.
#
# A VM that gets SIGTERM ends at once without running any code of the image. So this script stays in
# front of it: it asks the image to stop by a file, and ends the VM after STUI_STOP_SECONDS (10).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm=${STUI_VM:-}
image=${STUI_IMAGE:-$here/../image/stui.image}
port=5555
events_port=5556
own_endpoint=
own_events_endpoint=
more=()
grace=${STUI_STOP_SECONDS:-10}

# Lines that systemd understands: <3> error, <6> information.
say() { printf '<6>run.sh: %s\n' "$*" >&2; }
fail() {
  printf '<3>run.sh: %s\n' "$*" >&2
  exit 1
}
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"; }

while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h)
      usage
      exit 0
      ;;
    --image-help)
      more=(--help)
      shift
      ;;
    --allow-exit)
      more+=("$1")
      shift
      ;;
    --vm | --image | --port | --events-port | --transport | --contexts | --endpoint | --events-endpoint)
      [ $# -ge 2 ] || fail "$1 needs a value; --help tells more"
      case "$1" in
        --vm) vm=$2 ;;
        --image) image=$2 ;;
        --port) port=$2 ;;
        --events-port) events_port=$2 ;;
        --endpoint)
          own_endpoint=yes
          more+=("$1" "$2")
          ;;
        --events-endpoint)
          own_events_endpoint=yes
          more+=("$1" "$2")
          ;;
        *) more+=("$1" "$2") ;;
      esac
      shift 2
      ;;
    *) fail "there is no option $1; --help tells which there are" ;;
  esac
done

[ -f "$image" ] || fail "there is no image $image; make it with $here/install.sh, or name another one with --image"
image=$(cd "$(dirname "$image")" && pwd)/$(basename "$image")
if [ -z "$vm" ]; then
  if [ -x "$(dirname "$image")/pharo-vm/pharo" ]; then
    vm=$(dirname "$image")/pharo-vm/pharo
  else
    vm=$(command -v pharo) || fail "no VM found; name it with --vm"
  fi
fi
{ [ -f "$vm" ] && [ -x "$vm" ]; } || fail "there is no program $vm; name the VM with --vm"

check_port() { # OPTION PORT
  case "$2" in
    '' | *[!0-9]*) fail "$1 $2: a port is a number" ;;
  esac
  { [ "${#2}" -le 5 ] && [ "$((10#$2))" -le 65535 ]; } || fail "$1 $2: a port is at most 65535"
  [ "$((10#$2))" -ne 0 ] || return 0
  if (exec 3<>"/dev/tcp/127.0.0.1/$((10#$2))") 2>/dev/null; then
    fail "port $2 is in use: stop what listens there, or choose another one with $1"
  fi
}
listen=()
if [ -z "$own_endpoint" ]; then
  check_port --port "$port"
  listen+=(--port "$port")
fi
if [ -z "$own_events_endpoint" ]; then
  [ "$events_port" = none ] || check_port --events-port "$events_port"
  listen+=(--events-port "$events_port")
fi

private=$(mktemp -d)
stop_file=$private/stop
pid=
asked=
# shellcheck disable=SC2317 # called by the traps
cleanup() { rm -rf "$private"; }
trap cleanup EXIT
# shellcheck disable=SC2317 # called by the traps
ask_to_stop() {
  asked=yes
  : >"$stop_file"
}
trap ask_to_stop TERM INT HUP

"$vm" --headless "$image" --no-default-preferences stui \
  "${listen[@]}" --stop-file "$stop_file" ${more[@]+"${more[@]}"} &
pid=$!

# A signal interrupts `wait`; then the image has some time to end by itself.
status=0
wait "$pid" || status=$?
if [ -n "$asked" ]; then
  say "asked to stop"
  for ((tick = 0; tick < grace * 10; tick++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$pid" 2>/dev/null; then
    say "the image did not end within $grace s: ending the VM"
    kill -TERM "$pid" 2>/dev/null || true
  fi
  wait "$pid" 2>/dev/null || true
  status=0
fi
exit "$status"
