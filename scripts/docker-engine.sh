#!/usr/bin/env bash
# A Docker Engine with compose and BuildKit, from Debian's packages, where none answers (needs root).
# Debian 12 has no compose v2: it and buildx come from Debian 13, pinned so that nothing else does.
set -euo pipefail
log=${DOCKERD_LOG:-/var/log/dockerd.log}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
answers() { docker version --format '{{.Server.Version}}' > /dev/null 2>&1; }
complete() { docker compose version && docker buildx version; } > /dev/null 2>&1

install_packages() {
  . /etc/os-release
  if [ "$VERSION_CODENAME" = bookworm ]; then
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
      "$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)" \
      /usr/share/keyrings/debian-archive-keyring.gpg |
      as_root tee /etc/apt/sources.list.d/tonesmith-trixie.sources > /dev/null
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 50\n\nPackage: docker-compose docker-buildx\nPin: release n=trixie\nPin-Priority: 600\n' |
      as_root tee /etc/apt/preferences.d/tonesmith-trixie > /dev/null
  fi
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends \
    docker.io docker-compose docker-buildx debootstrap iptables ca-certificates
}

# What a killed engine left: its number may be another process's by now, and dockerd would not start.
forget_dead_engine() {
  local file=/var/run/docker.pid
  [ ! -e "$file" ] || [ "$(cat "/proc/$(cat "$file")/comm" 2> /dev/null)" = dockerd ] || as_root rm "$file"
}

start_engine() {
  forget_dead_engine
  as_root sh -c "setsid dockerd > '$log' 2>&1 < /dev/null &"
  for _ in $(seq 60); do
    answers && return
    sleep 1
  done
  tail -20 "$log" >&2
  echo "dockerd did not answer within 60 s; its log is $log" >&2
  exit 1
}

answers && complete && exit
complete && command -v dockerd > /dev/null || install_packages
answers || start_engine
docker version --format 'Docker Engine {{.Server.Version}}'
