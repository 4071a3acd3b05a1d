# SPDX-License-Identifier: MIT
# Completion of tracemalloc for bash.  Commands and options are those that --help lists.

_tracemalloc_commands() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

# PROGRAM COMMAND: the long options, with a "=" those that need an argument.
_tracemalloc_options() {
    "$1" "$2" --help 2>/dev/null |
        sed -n 's/^ \{2,6\}\(-., \)\{0,1\}\(--[a-z][a-z-]*\)\(=\{0,1\}\).*/\2\3/p'
}

# PROGRAM COMMAND -X: the long option that this is, as above.
_tracemalloc_long() {
    "$1" "$2" --help 2>/dev/null | sed -n "s/^  $3, \(--[a-z][a-z-]*\)\(=\{0,1\}\).*/\1\2/p"
}

# PROGRAM COMMAND OPTION: what it can be, where that is one of a few words: the program says so when it is
# none.
_tracemalloc_values() {
    case $3 in
    --sort | --group-by | --domain | --children | --records | --start)
        "$1" "$2" "$3=?" 2>&1 | sed -n 's/.*: it can be //p' | tr ',' ' '
        ;;
    esac
}

# Names with .trace in them, and directories; all files where there is none.
_tracemalloc_traces() {
    compopt -o filenames
    mapfile -t COMPREPLY < <({ compgen -f -X '!*.trace*' -- "$1"; compgen -d -- "$1"; } | sort -u)
    [ ${#COMPREPLY[@]} != 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_tracemalloc_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# The option whose argument the current word is; empty if it is none.  "--sort=peak" comes as three words.
_tracemalloc_option() {
    local before=${COMP_WORDS[COMP_CWORD - 1]} long=
    if [ "${COMP_WORDS[COMP_CWORD]}" = = ]; then
        echo "$before"
        return
    fi
    if [ "$before" = = ]; then
        echo "${COMP_WORDS[COMP_CWORD - 2]}"
        return
    fi
    case $before in
    --?*) long=$(_tracemalloc_options "$1" "$2" | grep -xF -- "$before=") ;;
    -[[:alpha:]]) long=$(_tracemalloc_long "$1" "$2" "$before") ;;
    esac
    [ "${long%=}" = "$long" ] || echo "${long%=}"
}

# Where the program that `run` is to run stands among the words, or will.
_tracemalloc_program() {
    local i=2 word long
    while [ $i -lt "$COMP_CWORD" ]; do
        word=${COMP_WORDS[i]} long=
        case $word in
        --)
            i=$((i + 1))
            break
            ;;
        --?*)
            [ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
            long=$(_tracemalloc_options "$1" run | grep -xF -- "$word=")
            ;;
        -[[:alpha:]]) long=$(_tracemalloc_long "$1" run "$word") ;;
        -*) ;;
        *) break ;;
        esac
        i=$((i + 1))
        [ "${long%=}" = "$long" ] || i=$((i + 1))
    done
    echo $i
}

_tracemalloc_run() {
    local at
    at=$(_tracemalloc_program "$1")
    if [ "$at" -ge "$COMP_CWORD" ]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <({ compgen -c -- "$2"; compgen -d -- "$2"; } | sort -u)
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$at"
    else
        _tracemalloc_files "$2"
    fi
}

_tracemalloc() {
    local program=$1 current=$2 command=${COMP_WORDS[1]} option values words
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        words="$(_tracemalloc_commands "$program") --help --version"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    option=$(_tracemalloc_option "$program" "$command")
    [ "$current" != = ] || current=
    values=$(_tracemalloc_values "$program" "$command" "$option")
    if [ "$values" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    elif [ "$option" ]; then
        _tracemalloc_files "$current"
    elif [ "$command" = run ] && [ "$(_tracemalloc_program "$program")" -lt "$COMP_CWORD" ]; then
        _tracemalloc_run "$program" "$current"
    elif [ "${current#-}" != "$current" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_tracemalloc_options "$program" "$command")" -- "$current")
        [ "${COMPREPLY[0]%=}" = "${COMPREPLY[0]}" ] || compopt -o nospace
    elif [ "$command" = run ]; then
        _tracemalloc_run "$program" "$current"
    else
        _tracemalloc_traces "$current"
    fi
}

complete -F _tracemalloc tracemalloc
