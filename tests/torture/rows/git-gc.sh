# SPDX-License-Identifier: MIT
# needs: git
row() {
    export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z"
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
    export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
    git init -q -b main repository
    cd repository || return
    local i
    for i in $(seq 60); do
        seq "$i" $((i * 50)) >"file$((i % 20))"
        mkdir -p "folder$((i % 5))"
        seq 1 "$i" 3000 >"folder$((i % 5))/file$i"
        git add -A
        git commit -q -m "commit $i"
    done
    git repack -q -a -d --threads=4
    git gc -q --aggressive --prune=now
    git fsck --full
    git rev-parse HEAD
    git count-objects -v
    git clone -q . ../clone
    git -C ../clone log --stat | sha256sum
}
