#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What libtrace.so exports, needs and may not contain.
set -u
. tests/lib.sh

listed=$(sed '/\/\*/d; /local:/,$d' shim/exports.map | grep -oE '\b(_Z|[a-z])[A-Za-z0-9_]+ *;' | tr -d ' ;' | sort)
exported=$(nm -D --defined-only "$lib" | awk '{print $NF}' | sort)
same "exports are exactly the list" "$listed" "$exported"
same "needs libc and the loader, nothing else" "ld-linux-x86-64.so.2 libc.so.6" \
    "$(objdump -p "$lib" | awk '/NEEDED/ {print $2}' | sort | xargs)"
same "points at which tests hold it up are in another library" "" \
    "$(nm -D "$lib" | grep -E 'libtrace_(point|call)')"
# No __tls_get_addr, which allocates; nothing written into the code.
# One asks code of ours which function to take (edge/aside.c).
same "relocations: relative, of symbols, of initial-exec thread-local storage" "" \
    "$(readelf -rW "$lib" | grep -oE 'R_X86_64_[A-Z0-9_]+' | sort -u |
        grep -vxE 'R_X86_64_(I?RELATIVE|GLOB_DAT|JUMP_SLOT|64|TPOFF64)' | xargs)"
same "no relocations of code, no executable stack, nothing writable that is executable" "" \
    "$(readelf -dlW "$lib" | grep -E 'TEXTREL|(GNU_STACK|LOAD) .* RWE')"
tls=$(($(readelf -lW "$lib" | awk '$1 == "TLS" {print $6}')))
check "thread-local storage: $tls bytes, of less than 128" [ "$tls" -lt 128 ]

# What is called of libc: none is a cancellation point, which would make malloc one; none makes descriptors or
# threads, prints, or takes signals.
harmless='
    (_ITM_(de)?registerTMCloneTable|__cxa_finalize|__gmon_start__)      the compiler, around every library
    (__)?environ|__libc_stack_end|_r_debug                              variables
    (mem|str|stp)[a-z]+                                                 memory alone
    __errno_location|getauxval|_dl_find_object|gnu_get_libc_version     look only
    dlv?sym|dlerror                                                     at the first call of a function
    dladdr1                                                             at the start
    dlopen|dlinfo                                                       at the start; RTLD_NOLOAD later
    dl_iterate_phdr                                                     before a filter of system calls comes
    on_exit|__register_atfork                                           once, at the start
    abort                                                               operator new failed and nobody could throw
'
patterns=$(awk 'NF {print $1}' <<<"$harmless" | paste -sd '|')
same "of libc only what is known to be harmless is called" "" \
    "$(nm -D --undefined-only "$lib" | awk '{sub(/@.*/, "", $2); print $2}' | grep -vxE "$patterns" | xargs)"
finish
