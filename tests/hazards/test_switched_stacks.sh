#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tasks on stacks of their own, or all on one that is copied to and fro.
set -u
. tests/hazards/oracle.sh

for how in contexts copied; do
    as_untraced $how "$hazards/switches" $how
    as_told $how
    whole $how
done

boost=$(ls /usr/lib/x86_64-linux-gnu/libboost_context.so.1* 2>/dev/null | head -n 1)
if [ "$boost" ]; then
    as_untraced "boost.context" "$hazards/switches" boost "$boost"
    as_told "boost.context"
    # How such a stack begins is told to nobody.
    same "boost.context: nothing was missed" 0 "$(totals .missed_events)"
else
    skip "boost.context" "no libboost-context"
fi

python=/usr/bin/python3         # the package's
if $python -c 'import greenlet' 2>/dev/null; then
    PYTHONMALLOC=malloc as_untraced "greenlet" $python -c '
import greenlet
def task(n):
    total = 0
    for i in range(200):
        total += len(str(i) * n)
        main.switch()
    return total
main = greenlet.getcurrent()
tasks = [greenlet.greenlet(task) for i in range(20)]
results = [t.switch(i) for i, t in enumerate(tasks)]
while not all(t.dead for t in tasks):
    results = [r if t.dead else t.switch() for t, r in zip(tasks, results)]
print(results)'
    whole "greenlet"
    check "greenlet: of python" [ "$(totals .allocations)" -gt 10000 ]
else
    skip "greenlet" "no python3-greenlet"
fi
finish
