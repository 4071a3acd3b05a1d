#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The disk is full, from the start or after a while, or the quota is used up: no SIGBUS, the program does not
# notice, and the report says so.
set -u
if [ -z "${OWN_MOUNTS:-}" ]; then
    [ "$(id -u)" = 0 ] && user= || user=-r
    unshare $user -m true 2>/dev/null && OWN_MOUNTS=yes exec unshare $user -m --propagation private "$0"
fi
. tests/hazards/oracle.sh
chmod 755 "$tmp"
mkdir -m 777 "$tmp/disk"

# on NAME MOUNT...: what becomes of a trace on the disk that is mounted there.
on() {
    local name=$1
    shift
    if ! mount "$@" "$tmp/disk" 2>/dev/null; then
        skip "$name" "cannot be mounted here"
        return
    fi
    chmod 777 "$tmp/disk"
    trace=$tmp/disk/trace
    as_untraced "$name: full after a while" "${who[@]}" "$hazards/many_sites" 20000
    check "$name: full after a while: the report says so" \
        eval "'$tracemalloc' report '$trace' | grep -q '^the disk was full'"
    check "$name: full after a while: what came before is there" \
        [ "$(of at_end allocations "$trace")" -gt 200 ]
    rm -f "$trace"
    "${who[@]}" dd if=/dev/zero of="$tmp/disk/filler" bs=4k 2>/dev/null
    says="not recording: cannot create $trace: $said"
    as_untraced "$name: full from the start" "${who[@]}" "$hazards/many_sites" 2000
    check "$name: full from the start: no file is left" [ ! -e "$trace" ]
    says=
    umount "$tmp/disk"
}

who=() said="the disk is full"
if [ "${OWN_MOUNTS:-}" ]; then
    on tmpfs -t tmpfs -o size=256k none
    truncate -s 2M "$tmp/image" && mkfs.ext4 -q -O ^has_journal "$tmp/image" 2>/dev/null
    on ext4 -o loop "$tmp/image"
    who=(setpriv --reuid 65534 --clear-groups) said="the quota is used up"
    on "a quota" -t tmpfs -o size=10m,usrquota,usrquota_block_hardlimit=256k none
else
    skip "full disks" "nothing can be mounted here"
fi
finish
