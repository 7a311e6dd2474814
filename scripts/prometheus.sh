#!/usr/bin/env bash
# Prometheus, promtool, Alertmanager and amtool without root, from Debian's packages (suite forky):
# unpacked into ${TONESMITH_CACHE:-~/.cache/tonesmith}/prometheus-<version>; prints the folder of the
# programs. The mirror is the one that this machine's apt uses. Does nothing where they lie already.
set -euo pipefail
cache=${TONESMITH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tonesmith}
suite=forky
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
programs=(prometheus promtool alertmanager prometheus-alertmanager amtool)

say() { printf '%s\n' "$*" >&2; }
give_up() {
  say "$1"
  say "install Prometheus 3 and Alertmanager another way and put prometheus, promtool, alertmanager and amtool on PATH"
  exit 1
}

complete() {
  local program
  for program in "${programs[@]}"; do [ -x "$1/$program" ] || return 1; done
}

installed() {
  local folder
  for folder in $(ls -dvr "$cache"/prometheus-*/usr/bin 2> /dev/null); do
    complete "$folder" && echo "$folder" && return
  done
  return 1
}

# The first address of a Debian archive (not its security archive) in the machine's own sources.
mirror() {
  local listed
  listed=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
    awk '$1 == "URIs:" { print $2 } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; break } }')
  grep -m1 -E '/debian/?$' <<< "$listed"
}

# apt with lists, cache and status of its own; proxy and credentials stay the machine's.
private_apt() {
  apt-get -q \
    -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
    -o Dir::Etc::sourcelist="$work/debian.sources" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=false "$@" >&2
}

# Debian's Alertmanager reads its templates under /usr/share/prometheus and nowhere else. Where the
# package is not installed they are shown there to this one process, in a mount namespace.
launcher() {
  cat << 'END'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
[ -d /usr/share/prometheus/alertmanager ] && exec "$here/prometheus-alertmanager" "$@"
exec unshare --map-root-user --mount sh -c '
  set -e
  mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus
  mount --bind "$1/../share/prometheus" /usr/share/prometheus
  program=$1/prometheus-alertmanager && shift && exec "$program" "$@"' sh "$here" "$@"
END
}

fetch() {
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/root"
  touch "$work/status"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$1" "$suite" "$keyring" > "$work/debian.sources"
  private_apt update || give_up "apt cannot read the suite $suite of this machine's mirror"
  (cd "$work/debs" && private_apt download prometheus promtool prometheus-alertmanager) ||
    give_up "apt cannot download the packages"
  local package
  for package in "$work"/debs/*.deb; do dpkg -x "$package" "$work/root"; done
  launcher > "$work/root/usr/bin/alertmanager" && chmod +x "$work/root/usr/bin/alertmanager"
  complete "$work/root/usr/bin" || give_up "the packages do not hold what is needed: ${programs[*]}"
}

mkdir -p "$cache"
exec 9> "$cache/prometheus.lock" && flock 9
installed && exit
for tool in apt-get dpkg; do command -v $tool > /dev/null || give_up "there is no $tool on this machine"; done
[ -r "$keyring" ] || give_up "$keyring is missing: apt-get install debian-archive-keyring"
mirror=$(mirror) || give_up "this machine's apt names no Debian archive"
work=$(mktemp -d "$cache/prometheus.XXXXXX")
trap 'rm -rf "$work"' EXIT
fetch "$mirror"
version=$("$work/root/usr/bin/promtool" --version 2>&1 | awk 'NR == 1 { sub(/[+~].*/, "", $3); print $3 }')
rm -rf "$cache/prometheus-$version" && mv "$work/root" "$cache/prometheus-$version"
installed
