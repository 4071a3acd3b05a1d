#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs that `make torture` runs: sh tests/torture/packages.sh [PACKAGE...] installs those that are
# missing, on Debian 12, as root; with arguments those only.  Rows whose programs are not there are skipped.
#
# Servers are installed, not started.
set -eu

usual="apache2 apache2-utils erlang-base ffmpeg g++ git gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-tools guile-3.0 libpython3.11-testsuite luajit make mariadb-server nginx-light nodejs octave
    openjdk-17-jdk-headless openssh-client openssh-server perl postgresql python3 python3-gevent r-base-core
    redis-server ruby sbcl sqlite3 stress-ng"
large="chromium libreoffice-writer-nogui"

missing=
# Words of names.
# shellcheck disable=SC2086
for package in ${*:-$usual $large}; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -z "$missing" ] && exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
    echo "missing packages; please run as root: $line" >&2
    exit 2
fi
echo "installing what is missing: $line"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -f $policy' EXIT
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
$line >"$log" 2>&1 || { apt-get update && $line; } >"$log" 2>&1 || {
    cat "$log" >&2
    exit 2
}
rm -f "$log"
