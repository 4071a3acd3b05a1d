#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a trace names as a module may be anything: the report ends soon, takes no more memory than its due, and
# opens nothing that is no file.
set -u
. tests/lib.sh
CC=${CC:-cc}
root=$PWD
cd "$tmp" || exit 1

cat >make_trace.c <<'END'
#include <stdlib.h>
#include <sys/stat.h>
#include "trace_writer.h"

static struct trace_writer writer;

static void add_site(uint32_t node, int bytes)
{
    uint32_t site = writer_site(&writer, node);
    *writer_counter(&writer, 0, site) =
        (struct trace_counter){.allocations = 1, .allocated_bytes = (uint64_t)bytes};
}

/* make_trace FILE MODULE ADDRESS...: thirty sites at the first address of a module, which is known by size and
   time, and one at each of the others, in stacks of thirty frames at the first. */
int main(int argc, char **argv)
{
    struct stat module;
    writer_start(&writer);
    uint32_t number = writer_module(&writer, argv[2]), path = TRACE_NODE_ROOT;
    if (stat(argv[2], &module) == 0) {
        writer.modules[number].file_size = (uint64_t)module.st_size;
        writer.modules[number].file_mtime_ns =
            (uint64_t)module.st_mtim.tv_sec * 1000000000 + (uint64_t)module.st_mtim.tv_nsec;
    }
    uint32_t first = writer_frame(&writer, number, strtoull(argv[3], NULL, 16));
    for (int i = 1; i < 30; i++)
        path = writer_node(&writer, path, first);
    for (int i = 1; i < 30; i++)
        add_site(writer_node(&writer, path, first), 1000 - i);
    for (int i = 3; i < argc; i++)
        add_site(writer_node(&writer, path, writer_frame(&writer, number, strtoull(argv[i], NULL, 16))), 900 - i);
    writer_save(&writer, argv[1]);
    return 0;
}
END
check "the writer of traces builds" "$CC" -std=gnu11 -D_GNU_SOURCE -I"$root/shim" -I"$root/tests/unit" \
    -o make_trace make_trace.c "$root/tests/unit/trace_writer.c"

# measured COMMAND...: runs it for a minute at most; prints its exit status and how many MB it took.
cat >measured.py <<'END'
import resource, subprocess, sys
with open("out", "wb") as out, open("err", "wb") as err:
    status = subprocess.call(["timeout", "60"] + sys.argv[1:], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
END

# report MODULE ADDRESS...: of a trace of it; sets status and megabytes, and the files out and err.
report() {
    ./make_trace trace "$@"
    read -r status megabytes < <(python3 measured.py "$tracemalloc" report --full trace)
}
has() { grep -qF -- "$2" "$1"; }
fine() { [ "$status" = 0 ] && has out 0x1010; }

# ---- what is no file ---------------------------------------------------------------------------------

mkfifo fifo
ln -s fifo link
for module in "$tmp/fifo" "$tmp/link" "$tmp" /dev/zero /dev/null /dev/tty /proc/kmsg /proc/self/mem /proc/self/maps \
    /sys/kernel/mm/transparent_hugepage/enabled; do
    report "$module" 1010
    check "no file: $(stat -Lc %F "$module") ${module#"$tmp"}" eval 'fine && has err "cannot be read"'
done
cat >opened.py <<'END'
# Prints whether anything was opened at a FIFO, whatever came of it, while a command ran.
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(watch, sys.argv[1].encode(), 0x20)
subprocess.call(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    print(len(os.read(watch, 4096)) > 0)
except BlockingIOError:
    print(False)
END
./make_trace trace "$tmp/fifo" 1010
same "a FIFO is not even opened: as a module" False \
    "$(timeout 60 python3 opened.py fifo "$tracemalloc" report trace)"
same "... as a trace" False "$(timeout 60 python3 opened.py fifo "$tracemalloc" report fifo)"
same "... among the files of a directory" False "$(timeout 60 python3 opened.py fifo "$tracemalloc" report)"

# ---- names -------------------------------------------------------------------------------------------

for module in "$tmp/none (deleted)" "/memfd:name (deleted)" " (deleted)" "/ (deleted)" "$tmp/none.so"; do
    report "$module" 1010
    check "gone, or never there: $module" eval '[ "$status" = 0 ]'
done
report "/$(printf '%08000d' 0)" 1010
check "a name longer than any path" eval 'fine && has err "cannot be read"'
report "$(printf 'x/%.0s' $(seq 4000))" 1010
check "... by a relative path" eval 'fine && has err "cannot be read"'

# ---- ELF files ---------------------------------------------------------------------------------------

# elf NAME: from assembly; its code is at 0x1000
elf() {
    cat >"$1.s"
    "$CC" -nostdlib -shared -Wl,--build-id=none,-Ttext=0x1000 -o "$1" "$1.s"
}
# one_unit: the head of a file with one unit; what is put behind are its entries
one_unit() {
    cat <<'END'
    .text
    .globl start
start: .skip 4096
    .section .debug_abbrev,"",@progbits
    .uleb128 1, 0x11; .byte 1; .uleb128 0x11, 1, 0x12, 7, 0x10, 0x17, 0, 0  # unit: code, lines
    .uleb128 2, 0x2e; .byte 1; .uleb128 0x11, 1, 0x12, 7, 0x31, 0x13, 0, 0  # function of an origin
    .uleb128 3, 0x1d; .byte 1; .uleb128 0x11, 1, 0x12, 7, 0x31, 0x13, 1, 0x13, 0, 0  # inlined; sibling
    .uleb128 4, 0x0b; .byte 1; .uleb128 0x11, 1, 0x12, 7, 0, 0              # block with entries
    .uleb128 5, 0x0b; .byte 0; .uleb128 0x55, 0x17, 0, 0                    # block of ranges
    .byte 0
    .section .debug_line,"",@progbits
.Llines:
    .section .debug_info,"",@progbits
.Linfo:
    .long .Linfo_end - . - 4
    .value 4; .long 0; .byte 8
    .uleb128 1; .quad start, 4096; .long .Llines
END
}
END=$'.Linfo_end:\n'

{ one_unit && cat <<'END'; } | elf cycle
.La: .uleb128 2; .quad start, 4096; .long .La - .Linfo
.Lb: .uleb128 3; .quad start, 4096; .long .Lc - .Linfo, .Lb - .Linfo
.Lc: .uleb128 3; .quad start, 128; .long .Lb - .Linfo, .Linfo - .Linfo
    .byte 0, 0, 0, 0
.Linfo_end:
END
report "$tmp/cycle" 1010
check "origins and siblings that go in circles" fine

{ one_unit && cat <<'END'; } | elf nested
    .uleb128 2; .quad start, 4096; .long 0
    .rept 20000
    .uleb128 4; .quad start, 4096
    .endr
.Linfo_end:
END
report "$tmp/nested" 1010
check "blocks 20000 deep" fine

{ one_unit && cat <<'END'; } | elf ranges
    .uleb128 2; .quad start, 4096; .long 0
    .rept 20000
    .uleb128 5; .long 0
    .endr
    .byte 0, 0
.Linfo_end:
    .section .debug_ranges,"",@progbits
    .set i, 0
    .rept 10000
    .quad i % 4000, i % 4000 + 3
    .set i, i + 1
    .endr
    .quad 0, 0
END
report "$tmp/ranges" 1010
check "20000 blocks that share 10000 ranges" fine
bounded() { [ ! -e "$lib" ] || [ "$megabytes" -lt $((64 + 16 * $(stat -c %s "$1") / 1000000)) ]; }
check "... in 64 MB and 16 times the file" bounded ranges

cp ranges sparse
if truncate -s 1T sparse 2>/dev/null; then
    report "$tmp/sparse" 1010
    check "... and seems to be of 1 TB, by a hole" eval 'fine && bounded ranges'
fi

# A table of one file, and a program that is put behind.
line_table() {
    cat <<'END'
    .section .debug_line,"",@progbits
    .long .Llines_end - . - 4
    .value 4; .long .Lprogram - . - 4
    .byte 1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0
    .asciz "a.c"
    .byte 0, 0, 0, 0
.Lprogram:
    .byte 0, 9, 2; .quad start
END
}
{ one_unit && echo "$END" && line_table && cat <<'END'; } | elf lines
    .fill 4000000, 1, 0x13
    .byte 0, 1, 1
.Llines_end:
END
report "$tmp/lines" 1010
check "4 million lines for one address" eval 'fine && bounded lines'
objcopy --compress-debug-sections=zlib lines packed 2>/dev/null
report "$tmp/packed" 1010
check "... compressed to $(stat -c %s packed) bytes" eval 'fine && bounded packed'

{ sed 's/0x10, 0x17, 0, 0  # unit.*/0x10, 0x17, 0x1b, 8, 0, 0/' <(one_unit) && cat <<'END'; } | elf names
    .fill 100000, 1, 'd'
    .byte 0
.Linfo_end:
    .section .debug_line,"",@progbits
    .long .Llines_end - . - 4
    .value 4; .long .Lprogram - . - 4
    .byte 1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0
    .rept 20000
    .ascii "a\0\0\0\0"
    .endr
    .byte 0
.Lprogram:
    .byte 0, 9, 2; .quad start; .byte 0x20, 2, 0x80, 32, 0, 1, 1
.Llines_end:
END
report "$tmp/names" 1010
check "20000 files in a directory of a name of 100000 characters" eval 'fine && bounded names'

elf units <<'END'
    .text
start: .skip 4096
    .section .debug_abbrev,"",@progbits
    .uleb128 1, 0x11; .byte 0; .uleb128 0, 0, 0
    .section .debug_info,"",@progbits
    .rept 100000
    .long 8; .value 4; .long 0; .byte 8; .uleb128 1
    .endr
END
report "$tmp/units" 1010
check "100000 units with nothing in them" eval 'fine && bounded units'

# Under a sanitizer memory that is refused is a finding.
if [ -e "$lib" ]; then
    echo '.text; start: .skip 4096' | elf plain
    head -c 100000000 /dev/zero >zeroes
    objcopy --add-section .debug_info=zeroes plain
    objcopy --compress-debug-sections=zlib plain bomb
    report "$tmp/bomb" 1010
    check "100 MB of zeroes, compressed to $(stat -c %s bomb) bytes" eval 'fine && bounded bomb'
    if command -v xz >/dev/null; then
        xz -9 zeroes
        strip -o stripped packed
        objcopy --add-section .gnu_debugdata=zeroes.xz stripped bomb
        report "$tmp/bomb" 1010
        check "... and as what stripped files have of a symbol table" eval 'fine && bounded bomb'
    else
        skip "the same as .gnu_debugdata" "xz is not installed"
    fi
    rm -f zeroes*
fi

# ---- what names may hold -----------------------------------------------------------------------------

cat >check_output.c <<'END'
#include <stdio.h>
#include <string.h>
#include "output_check.h"

/* check_output text|wide|json FILE: says what is wrong in it */
int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *file = fopen(argv[argc - 1], "rb");
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    const char *wrong = strlen(text) != size             ? "a zero"
                        : strcmp(argv[1], "json") == 0 ? wrong_in_json(text)
                                                         : wrong_in_text(text, strcmp(argv[1], "wide") == 0);
    if (wrong)
        printf("# %s\n", wrong);
    return wrong != NULL;
}
END
check "the check of outputs builds" "$CC" -I"$root/tests/unit" -o check_output check_output.c \
    "$root/tests/unit/output_check.c"
# Escape, bell, newline, delete; C1 controls alone and in UTF-8; a turn of direction; no UTF-8; quotes and a tag.
name='\033]0;evil\007\n\177\233\302\233\342\200\256\355\240\200\377\"\\</script>'
{
    cat <<'END'
    .text
    .globl start
start: .skip 16
other: .skip 16
    .section .debug_abbrev,"",@progbits
    .uleb128 1, 0x11; .byte 1; .uleb128 0x11, 1, 0x12, 7, 0x10, 0x17, 0x1b, 8, 0, 0
    .uleb128 2, 0x39; .byte 1; .uleb128 3, 8, 0, 0
    .uleb128 3, 0x2e; .byte 0; .uleb128 0x11, 1, 0x12, 7, 3, 8, 0, 0
    .byte 0
    .section .debug_info,"",@progbits
    .long .Linfo_end - . - 4
    .value 4; .long 0; .byte 8
    .uleb128 1; .quad start, 32; .long .Llines; .asciz "/NAME"
    .uleb128 2; .asciz "NAME"
    .uleb128 3; .quad start, 16; .asciz "NAME"
    .byte 0, 0
.Linfo_end:
    .section .debug_line,"",@progbits
.Llines:
END
    line_table | sed 's/a\.c/NAME.c/'
    cat <<'END'
    .byte 0x13, 2, 0x80, 32, 0, 1, 1
.Llines_end:
    .type other, @function
    .size other, 16
END
} | sed "s@NAME@${name//\\/\\\\}@" | elf odd
objcopy --redefine-sym other="$(printf "${name//\%/%%}")" odd
# odd_report KIND OPTIONS...: two functions, one known by its symbol alone
odd_report() {
    local kind=$1
    shift
    ./make_trace trace "$tmp/odd" 1000 1010
    timeout 60 "$tracemalloc" report "$@" trace >out 2>err
    check "odd names: report $* ($kind)" eval 'has out script && ./check_output $kind out &&
        ./check_output ${kind/json/text} err'
}
for options in "" --full --group-by=function --group-by=line --group-by=file; do
    odd_report text $options
    LC_ALL=C.UTF-8 odd_report wide $options
    [ "$options" = --full ] || odd_report json --json $options
done
met() { jq "[.sites[].frames[].$1 // empty | select(contains(\"</script>\"))] | unique | length" out; }
timeout 60 "$tracemalloc" report --json trace >out
same "... of two functions and a file" "2 1" "$(met function) $(met file)"

# ---- files that a file names -------------------------------------------------------------------------

# blocked NAME: as beside, with a FIFO of that name; the report must neither wait for it nor open it
blocked() {
    mkdir -p "$(dirname "$1")"
    mkfifo "$1"
    report "$tmp/beside" 1010
    check "a FIFO where its debug file could be: $1" fine
    ./make_trace trace "$tmp/beside" 1010
    same "... and it is not opened" False "$(timeout 60 python3 opened.py "$1" "$tracemalloc" report trace)"
    rm "$1"
}
echo '.text; start: .skip 4096' | elf beside
for name in beside.debug .debug/beside.debug .debug/beside; do
    blocked $name
done
echo x >linked
objcopy --add-gnu-debuglink=linked beside && rm linked
for name in linked .debug/linked; do
    blocked $name
done
mkdir elsewhere && mv beside elsewhere/real && ln -s elsewhere/real beside
blocked elsewhere/linked

# ---- a module that changes while it is read ----------------------------------------------------------

# Two functions in units of their own.  The second is asked for when the sites of the first are written, which is
# more than a pipe holds: until then the report waits for its reader.
for f in first second; do
    echo "int volatile ${f}_data[3000]; int ${f}(int i) { return ${f}_data[i]; }" >$f.c
    "$CC" -g -O1 -fPIC -c $f.c
done
"$CC" -shared -Wl,--build-id=none -o module first.o second.o
address() { nm module | sed -n "s/ T $1\$//p"; }
./make_trace trace "$tmp/module" "$(address first)" "$(address second)"
timeout 60 "$tracemalloc" report --json trace >whole
same "a module of two units" "first second" \
    "$(jq -r '[.sites[].frames[0].function] | unique | join(" ")' whole)"
mkfifo pipe
timeout 60 "$tracemalloc" report --json trace >pipe 2>err &
{
    head -c 1000 >start
    : >module
    cat >rest
} <pipe
wait $!
same "... that is emptied after the first was read: exit status" 0 $?
cat start rest >whole
same "... the report is whole" "31 first" \
    "$(jq -r '"\(.sites | length) \(.sites[0].frames[0].function)"' whole)"
check "... and tells" has err "a file was cut short while symbols were read from it"
finish
