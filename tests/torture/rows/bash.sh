# SPDX-License-Identifier: MIT
row() {
    bash -c 'for i in $(seq 300); do echo $(echo $((i * i)) $(echo $i)); done
        echo $(ls /proc/self/fd | wc -l)'
    bash -c 'for i in $(seq 300); do (exit $((i % 7)) &); done
        wait
        echo {1..2000} | tr " " "\n" | sort -n | tail -n 1'
    for program in bash ls python3 git; do
        ldd "$(command -v $program)" | sed '/libtrace/d; s/ (0x.*//' | sort
    done
}
