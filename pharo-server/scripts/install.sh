#!/usr/bin/env bash
# Makes stui.image: a Pharo 12 or 13 image with the server of stui in it.
#
#   install.sh [--vm FILE] [--image FILE] [--dir DIR] [--group NAME] [--pharo 130]
#
#   --vm FILE     the Pharo VM (default: DIR/pharo-vm/pharo, then pharo on the PATH)
#   --image FILE  the image to begin with; it is copied, never changed
#   --dir DIR     where stui.image shall stand (default: the folder image beside this one)
#   --group NAME  what to load: default, core (an image without UnifiedFFI) or tests
#   --pharo NNN   what to download from get.pharo.org when no image is given: 130 or 120
#
# When DIR/stui.image is there already the server is loaded into it again: sessions in it stay.
# The image is replaced only when all went well.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../src" && pwd)
dir=$here/../image
vm=${STUI_VM:-}
image=
group=default
pharo=130

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"; }

while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h)
      usage
      exit 0
      ;;
    --vm | --image | --dir | --group | --pharo)
      [ $# -ge 2 ] || fail "$1 needs a value; --help tells more"
      case "$1" in
        --vm) vm=$2 ;;
        --image) image=$2 ;;
        --dir) dir=$2 ;;
        --group) group=$2 ;;
        --pharo) pharo=$2 ;;
      esac
      shift 2
      ;;
    *) fail "there is no option $1; --help tells which there are" ;;
  esac
done
case "$group" in
  default | core | tests) ;;
  *) fail "there is no group $group; there are default, core and tests" ;;
esac
case "$pharo" in
  120 | 130) ;;
  *) fail "only Pharo 120 and 130 are supported, not $pharo" ;;
esac

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

download() {
  say "downloading Pharo $pharo into $dir"
  local url=https://get.pharo.org/64/$pharo+vm script
  script=$(mktemp)
  if command -v curl >/dev/null; then
    curl -fsSL "$url" -o "$script" || fail "$url cannot be fetched; download it by hand and give --vm and --image"
  elif command -v wget >/dev/null; then
    wget -qO "$script" "$url" || fail "$url cannot be fetched; download it by hand and give --vm and --image"
  else
    fail "neither curl nor wget is here; install one, or give --vm and --image"
  fi
  (cd "$dir" && bash "$script") || fail "the installer of get.pharo.org failed"
  rm -f "$script"
}

base=$dir/stui.image
if [ -n "$image" ]; then
  [ -f "$image" ] || fail "there is no image $image"
  [ ! -f "$base" ] || say "$base is there already: loading the server into it, not into $image"
fi
if [ ! -f "$base" ]; then
  if [ -z "$image" ]; then
    [ -f "$dir/Pharo.image" ] || download
    image=$dir/Pharo.image
    [ -f "$image" ] || fail "the download left no Pharo.image in $dir"
  fi
  base=$image
fi
if [ -z "$vm" ]; then
  if [ -x "$dir/pharo-vm/pharo" ]; then
    vm=$dir/pharo-vm/pharo
  else
    vm=$(command -v pharo) || fail "no VM found; name it with --vm"
  fi
fi
{ [ -f "$vm" ] && [ -x "$vm" ]; } || fail "there is no program $vm; name the VM with --vm"

evaluate() { # IMAGE OPTION... CODE
  local in=$1
  shift
  "$vm" --headless "$in" --no-default-preferences eval "$@"
}

version=$(evaluate "$base" "SystemVersion current dottedMajorMinor" | tr -d "'\r" | tail -n 1) ||
  fail "$vm cannot run $base; do the VM and the image belong together?"
case "$version" in
  12.* | 13.*) ;;
  *) fail "$base is Pharo ${version:-of an unknown version}; the server needs 12 or 13" ;;
esac

# On a copy, so that a load that fails leaves all as it was.
new=$dir/stui-new.image
cleanup() { rm -f "$new" "${new%.image}.changes"; }
trap cleanup EXIT
cp "$base" "$new"
[ ! -f "${base%.image}.changes" ] || cp "${base%.image}.changes" "${new%.image}.changes"
base_dir=$(cd "$(dirname "$base")" && pwd)
if [ "$base_dir" != "$dir" ]; then
  # The image reads the sources of the system from its own folder.
  find "$base_dir" -maxdepth 1 -name '*.sources' -exec cp -n {} "$dir/" \;
fi

say "loading the server ($group) into a copy of $base, Pharo $version"
quoted=${source_dir//\'/\'\'}
groups="'$group'"
[ "$group" != tests ] || groups="'tests' 'default'"
evaluate "$new" --save "Metacello new baseline: 'Stui'; repository: 'tonel://$quoted'; onConflictUseIncoming; load: #( $groups ). true" ||
  fail "the server could not be loaded; the messages above say why. $dir is as it was"
[ "$(evaluate "$new" "Smalltalk globals includesKey: #STUIServer" | tr -d '\r' | tail -n 1)" = true ] ||
  fail "the image was loaded but has no server in it; $dir is as it was"

[ ! -f "${new%.image}.changes" ] || mv "${new%.image}.changes" "$dir/stui.changes"
mv "$new" "$dir/stui.image"
say "made $dir/stui.image"
say "start it with: $here/run.sh --vm '$vm' --image '$dir/stui.image'"
