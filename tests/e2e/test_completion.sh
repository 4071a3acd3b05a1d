#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Completion knows every command and option that --help has, and no value that the program does not take.
set -u
. tests/lib.sh
files=$PWD/analyzer/completion
cd "$tmp" || exit 1
. "$files/tracemalloc.bash"
compopt() { :; } # not in a line editor here

# bash_has WORD...: what the last word may become.  A "=" divides words, as the line editor has it.
bash_has() {
    COMP_WORDS=("$tracemalloc" "$@")
    COMP_CWORD=$#
    _tracemalloc "$tracemalloc" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}

# zsh_has WORD...: what zsh's own functions are asked for.
zsh_has() {
    zsh -fc '
        words=("$@") CURRENT=$#
        _arguments() { print -rl -- "$@" }
        _describe() { print -rl -- "${(P@)2}" }
        source '"'$files/_tracemalloc'" zsh "$tracemalloc" "$@"
}

# zsh_says COMMAND: what is completed by the action that is read.
zsh_says() {
    zsh -fc '
        read -r action
        words=("$@" "") CURRENT=3 program=$1 command=$2
        _arguments() { }
        compadd() { print -r -- "${(P@)2}" }
        source '"'$files/_tracemalloc'"'
        $=action' zsh "$tracemalloc" "$@"
}

# zsh_types LINE: what a line becomes at a tab, in a line editor on a terminal.
zsh_types() {
    timeout 60 zsh -fc '
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z "PS1=; fpath=($1 \$fpath); PATH=$2:\$PATH; autoload -U compinit; compinit -u -D
            show() { zle expand-or-complete; print -r -- \"<\$BUFFER>\"; BUFFER=; zle accept-line }
            zle -N show; bindkey \"^I\" show; print READ\Y"
        zpty -r z out "*READY*"
        zpty -w -n z "$3"$'"'\\t'"'
        zpty -r z out "*<tracemalloc*>*"
        print -r -- ${${out##*<}%%>*}' zsh "$files" "$build" "$1" 2>/dev/null
}

commands=$("$tracemalloc" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
same "the completion is installed for this name" "complete -F _tracemalloc tracemalloc" "$(complete -p tracemalloc)"
same "bash: every command" "$(printf '%s\n' $commands --help --version | sort | paste -sd ' ')" "$(bash_has '')"
same "bash: a command that was begun" report "$(bash_has rep)"
for command in $commands; do
    help=$("$tracemalloc" $command --help)
    options=$(echo "$help" | grep -oE '^ {2,6}(-., )?--[a-z-]+=?' | grep -oE -- '--[a-z-]+=?' | sort | paste -sd ' ')
    same "bash: every option of $command" "$options" "$(bash_has $command --)"
    # What is to be one word of a few, by its name in --help.
    for option in $(echo "$help" | sed -nE 's/^ +(-., )?--([a-z-]+)\[?=(WHAT|WHICH|TABLE|DOMAIN)\]?.*/\2/p'); do
        words=$("$tracemalloc" $command "--$option=no such word" 2>&1 | sed -nE 's/.*it can be (.*)/\1/p' | tr -d ,)
        same "bash: what --$option of $command can be" "$(printf '%s\n' $words | sort | paste -sd ' ')" \
            "$(bash_has $command "--$option" = '')"
    done
done

: >a.trace
: >'b c.trace.2'
: >notes
mkdir folder
same "bash: traces by name, and directories" "a.trace b c.trace.2 folder" "$(bash_has report '')"
same "bash: any file where no trace is" "notes" "$(bash_has report n)"
same "bash: a value behind =" "allocated allocations" "$(bash_has report --sort = all)"
same "bash: a value behind a blank" "peak" "$(bash_has report --sort p)"
same "bash: a value of a short option" "peak" "$(bash_has report -s p)"
same "bash: a file for an option" "notes" "$(bash_has run --output = n)"
check "bash: a program to run" bash -c '[[ " $1 " = *" sort "* ]]' bash "$(bash_has run -q -o x --depth = 3 sor)"
same "bash: arguments of the program" "a.trace b c.trace.2 folder notes" "$(bash_has run sort '')"
same "bash: its options are not ours" "" "$(bash_has run sort --)"

if command -v zsh >/dev/null; then
    same "zsh: every command" "$(echo "$commands" | sort)" "$(zsh_has '' | sed 's/:.*//' | sort)"
    for command in $commands; do
        options=$("$tracemalloc" $command --help | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort)
        same "zsh: every option of $command" "$options" \
            "$(zsh_has $command -- | sed -nE 's/^(--[a-z-]+)=?-?\[.*/\1/p' | sort)"
    done
    same "zsh: what --sort can be" "peak current allocated allocations temporary" \
        "$(zsh_has report -- | sed -n 's/^--sort=.*: \(_.*\)$/\1/p' | zsh_says report)"
    same "zsh, typed: a value of a long option" "tracemalloc report --sort=peak " "$(zsh_types 'tracemalloc report --sort=pe')"
    same "zsh, typed: a trace" "tracemalloc report folder/ " "$(zsh_types 'tracemalloc report f' | sed 's/ *$/ /')"
    same "zsh, typed: a program to run" "tracemalloc run -q faketime " "$(zsh_types 'tracemalloc run -q faket')"
    check "zsh: no word on stderr" [ -z "$(zsh_has run -- 2>&1 >/dev/null)" ]
else
    skip "zsh" "there is none"
fi
finish
