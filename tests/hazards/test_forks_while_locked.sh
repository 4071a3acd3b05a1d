#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program of several threads forks while another thread holds a lock: each of the recorder's, and the loader's.
# The child is alone, whoever holds the lock is not with it, and it must not wait.
set -u
. tests/hazards/lib.sh
preload=$faulty

# forks POINT CODE TRACED: by fork the child always has a trace; by _Fork, if TRACED is yes.
forks() {
    local point=$1 code=$2 how name traced
    for how in fork _Fork; do
        name="$how while another thread is at $point, in $code code"
        unhurt "$name" children=all "$hazards/forks_while_locked" "$point" "$code" $how "$tmp/stopped"
        same "$name: it was there" "$point" "$(cat "$tmp/stopped")"
        traced=$([ -e "$tmp/trace.2" ] && recorded "$tmp/trace.2" | cut -d' ' -f1,2)
        case $how-$3 in
        fork-*) same "$name: the child's own trace" "9 340" "$traced" ;;
        *-yes) same "$name: the child's own trace" "8 320" "$traced" ;;
        *) same "$name: the child leaves no trace" "" "$traced" ;;
        esac
    done
}

forks "&world.threads" old yes
forks "&world.learning" new yes
forks "&world.tables" old yes
forks "&world.arena" old yes
forks "self->shard->lock" old yes
forks loader new yes
# A child of _Fork that finds a table half changed does not record.
forks "changing a table" old no
forks "changing a table" new no

# attaching POINT HOW: a child that begins its file has a child of its own.
attaching() {
    local name="$2 while another thread is $1"
    harmless "$name" "" "$hazards/forks_while_attaching" "$1" $2
    same "$name: the traces of child and grandchild" "2000 20000 2000 20000" \
        "$(for f in "$tmp"/trace.*; do recorded "$f" | cut -d' ' -f1,2; done | xargs)"
}

attaching attaching _Fork
attaching attached fork
attaching attached _Fork
finish
