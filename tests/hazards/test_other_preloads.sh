#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Libraries that people preload beside it, before and behind: they do their work, and the recorder does its.
set -u
. tests/hazards/oracle.sh
libraries=/usr/lib/x86_64-linux-gnu
work='
use Time::HiRes; use POSIX ();
my %h; $h{$_} = "x" x $_ for 1 .. 2000;
open my $file, ">", "file" or die; print $file join ",", sort keys %h; close $file;
chown 1, 2, "file"; my @facts = stat "file";
print $ENV{FAKETIME} && POSIX::strftime("%Y-%m-%d %H:%M ", gmtime);
print "@facts[4, 5, 7] $> ", scalar(keys %h), "\n"; exit 3'

all_of_it() {
    whole "$1"
    check "$1: all of it" [ "$(totals .allocations)" -gt 5000 ]
    check "$1: the recorder's time is the machine's" [ "$(json .started "$trace" | cut -c1-4)" -gt 2020 ]
}

# beside NAME LIBRARY SAID: both ways; the output of the library's work is known.
beside() {
    local name=$1 library=$2 said=$3
    if [ ! -e "$library" ]; then
        skip "$name" "it is not installed"
        return
    fi
    for order in before after; do
        before= after=
        eval "$order=\$library"
        as_untraced "$name $order it" perl -e "$work"
        check "$name $order it: it is at work" grep -q "$said" "$tmp/traced.out"
        all_of_it "$name $order it"
    done
}

FAKETIME='2001-02-03 04:05:06' beside faketime $libraries/faketime/libfaketime.so.1 "2001-02-03 04:05"
beside eatmydata $libraries/libeatmydata.so " 2000$"

# fakeroot preloads its library itself, and serves who runs below it.
if command -v fakeroot >/dev/null; then
    in_place untraced fakeroot perl -e "$work"
    for preload in "$lib:\$LD_PRELOAD" "\$LD_PRELOAD:$lib"; do
        rm -f "$trace"
        in_place traced fakeroot sh -c \
            "LIBTRACE_OPTIONS=out=$trace LD_PRELOAD=$preload exec \"\$@\"" - perl -e "$work"
        name="fakeroot, $(echo "$preload" | sed "s|$lib|recorder|; s|.LD_PRELOAD|fakeroot|")"
        same "$name: as untraced" \
            "$(cat "$tmp"/untraced.{status,out,err})" "$(cat "$tmp"/traced.{status,out,err})"
        check "$name: it is at work" grep -q "^1 2 " "$tmp/traced.out"
        all_of_it "$name"
    done
else
    skip fakeroot "it is not installed"
fi
finish
