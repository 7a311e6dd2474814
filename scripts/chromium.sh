#!/usr/bin/env bash
# Install Chromium and fonts for Chinese and emoji from Debian's packages, where they are missing.
set -euo pipefail
if [ -x /usr/bin/chromium ] && fc-list | grep -qi 'noto.*cjk' && fc-list | grep -qi emoji; then
  exit 0
fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -q
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
  chromium fonts-noto-cjk fonts-noto-color-emoji fontconfig
