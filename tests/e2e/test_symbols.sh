#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Symbols: right where they can be known, nothing where they cannot, never those of something else.
set -u
. tests/lib.sh
export XDG_CACHE_HOME=/dev/null # no cache: what is read is tested
cd "$tmp" || exit 1
C="gcc -std=gnu11 -D_GNU_SOURCE -w"
CXX="g++ -std=c++17 -w"

# site BYTES FILTER: of the site that was asked for so many bytes in all.
site() { json ".sites[] | select(.allocated_bytes == $1) | $2"; }

# stack BYTES N: the functions of its N innermost frames.
stack() { site "$1" ".frames[:$2] | map(.function // \"?\") | join(\" \")"; }

# What the report says on stderr.
warnings() { "$tracemalloc" report "$tmp/trace" 2>&1 >/dev/null; }

# chains MODULE: every address of the module in the trace with its functions and lines, innermost first.
chains() {
    json ".sites[].frames[] | select(.module == \"$1\") | (.file // \"??\" | split(\"/\") | last) as \$file |
        \"\(.address)\t\(.function // \"??\") \(\$file):\(.line // \"?\")\t\(.inlined)\"" |
        awk -F'\t' '{ chain = chain " " $2 } $3 == "false" { print $1 chain; chain = "" }' | sort -u
}

# The same by another tool, for the addresses on stdin; a file without a line is as good as nothing.
other_chains() {
    "$tool" -C -a -f -i -e "$1" | awk '
        function flush() { if (address != "") print address chain; chain = name = "" }
        /^0x/ { flush(); address = $0; sub(/^0x0*/, "0x", address); next }
        /^$/ { next }
        name == "" { name = $0; next }
        { sub(/ \(discriminator [0-9]+\)/, ""); sub(/.*\//, ""); if (/:[0?]$/) $0 = "??:?"
          chain = chain " " name " " $0; name = "" }
        END { flush() }' | sort -u
}

without_names() { grep -oE '^0x[0-9a-f]+|[^ ]+:([0-9]+|[?])( |$)'; }

# compare_chains TOOL NAME PROGRAM LEAST: records it; every address of it in the trace is what the tool says,
# and at least so many inlined functions are among them.  C++ names, which each tool writes in its own way,
# are not compared.
compare_chains() {
    local tool=$1 name=$2 program=$3 least=$4 names='cat'
    [ "${name##*.}" = cc ] && names=without_names
    traced "" "$program" >/dev/null
    chains "$program" >ours
    cut -d' ' -f1 ours | other_chains "$program" >theirs
    for side in ours theirs; do $names <$side >$side.compared; done
    check "$name: as $tool says, $(wc -l <ours) addresses" cmp -s ours.compared theirs.compared
    cmp -s ours.compared theirs.compared || diff ours.compared theirs.compared | sed 's/^/#   /' | head -n 20
    check "$name: with $least inlined functions at least" [ "$least" -le \
        "$(json '[.sites[].frames[] | select(.inlined) | .address + .function] | unique | length')" ]
}

cat >inline.c <<'END'
#include <stdlib.h>
#define OUTLINE __attribute__((noinline, noclone))
#define INLINE static inline __attribute__((always_inline))
void *volatile kept;
volatile int many = 3;

OUTLINE static void *allocate(size_t size)
{
    void *block = malloc(size);
    kept = block;
    return block;
}

INLINE void *third(size_t size)
{
    void *block = allocate(size + 1);
    many = many;
    return block;
}

INLINE void second(size_t size)
{
    for (int i = 0; i < many; i++) {
        if (i == 1)
            kept = third(size);
        else
            third(size + 100);
        many = many;
    }
}

OUTLINE static void first(size_t size)
{
    second(size);
    second(size * 2);
    many = many;
}

static int compare(const void *a, const void *b)
{
    kept = malloc(77);
    many = many;
    return *(const int *)a - *(const int *)b;
}

int main(void)
{
    int numbers[] = {3, 1, 2};
    first(1000);
    qsort(numbers, 3, sizeof *numbers, compare);
    second(20000);
    many = many;
    return 0;
}
END
cat >inline.cc <<'END'
#include <algorithm>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>
namespace {
struct Thing {
    std::vector<std::string> names;
    explicit Thing(int n) { for (int i = 0; i < n; i++) names.push_back(std::string(50 + i, 'x')); }
};
template <typename T> __attribute__((noinline)) std::shared_ptr<T> make(int n)
{
    return std::make_shared<T>(n);
}
}
static std::map<std::string, std::shared_ptr<Thing>> things;
static __attribute__((noinline)) char *hidden(int size) { char *p = new char[size]; return p; }
char *volatile kept;
int main()
{
    for (int i = 0; i < 5; i++)
        things["thing number " + std::to_string(i) + " of five"] = make<Thing>(i);
    auto lambda = [](int size) __attribute__((noinline)) { kept = hidden(size); };
    lambda(4321);
    std::regex expression("(a|b)*c+[d-f]");
    return std::regex_match("aababccde", expression) ? 0 : 0;
}
END

# ---- inlined functions ----
# Where binutils go wrong or give no file (clang's DWARF 5, -flto, -gsplit-dwarf) LLVM is asked.
llvm=$(compgen -c llvm-addr2line | sort | head -n 1)
number=0
while read -r tool least compile; do
    number=$((number + 1))
    [ "$tool" = llvm ] && tool=$llvm
    if [ -z "$tool" ]; then
        skip "$compile" "llvm-addr2line is not installed"
    elif ! $compile -o "$tmp/inline$number" 2>err; then
        skip "$compile" "it does not compile here"
    else
        compare_chains "$tool" "$compile" "$tmp/inline$number" "$least"
    fi
done <<'END'
addr2line 6 gcc -g -O0 inline.c
addr2line 6 gcc -g -O1 inline.c
addr2line 6 gcc -g -O2 inline.c
addr2line 6 gcc -g -O3 inline.c
addr2line 6 gcc -g -O2 -no-pie -fno-pie inline.c
addr2line 6 gcc -g -O2 -gdwarf-4 inline.c
addr2line 6 gcc -g -O2 -gdwarf-3 inline.c
addr2line 6 gcc -g -O2 -gz inline.c
llvm 6 gcc -g -O2 -flto inline.c
llvm 6 gcc -g -O2 -gsplit-dwarf inline.c
llvm 6 gcc -g -O2 -gsplit-dwarf -gdwarf-4 inline.c
addr2line 6 gcc -g -O2 -ffunction-sections -Wl,--gc-sections inline.c
addr2line 6 gcc -g -O2 -Wl,-Ttext-segment=0x40000000 inline.c
addr2line 6 gcc -g1 -O2 inline.c
addr2line 6 clang -g -O0 inline.c
llvm 6 clang -g -O2 inline.c
addr2line 6 clang -g -O2 -gdwarf-4 inline.c
llvm 6 clang -gline-tables-only -O2 inline.c
addr2line 20 g++ -g -O2 inline.cc
addr2line 20 g++ -g -O2 -gdwarf-4 inline.cc
llvm 20 clang++ -g -O2 inline.cc
addr2line 20 clang++ -g -O2 -gdwarf-4 inline.cc
END

gcc -g -O2 -gsplit-dwarf -o split inline.c && traced "" "$tmp/split"
for dwo in split*.dwo; do rm "$dwo" && mkfifo "$dwo"; done
check "a FIFO instead of -gsplit-dwarf's file does not stop it" eval \
    'timeout 20 "$tracemalloc" report --json trace >split.json && [ "$(of allocate allocations)" -gt 0 ]'

# ---- C++ names of what no other file can call ----
g++ -g -O2 -o names inline.cc && traced "" "$tmp/names"
same "C++: a lambda, cloned by the compiler" "main::{lambda(int)#1}::operator()(int) const" \
    "$(json '.sites[] | select(.allocated_bytes == 4321) | .frames[].function' | grep lambda)"
g++ -g -O0 -o names inline.cc && traced "" "$tmp/names"
same "C++: a static function" 4321 "$(of 'hidden(int)' allocated_bytes)"
thing='(anonymous namespace)::Thing'
check "C++: a function in an unnamed namespace" \
    [ "$(of "std::shared_ptr<$thing> (anonymous namespace)::make<$thing>(int)" allocations)" -ge 5 ]
same "C++: inlined methods have their classes' names" 0 \
    "$(json '[.sites[].frames[] | select(.inlined and (.function | test("^(allocate|_M_|_S_)")))] | length')"

# ---- less than full debug information ----
cat >plain.c <<'END'
#include <stdlib.h>
#define OUTLINE __attribute__((noinline, noclone))
void *volatile kept;
void *in_assembly(size_t size);
OUTLINE static void *hidden(size_t size) { void *block = malloc(size); kept = block; return block; }
OUTLINE void *visible(size_t size) { void *block = hidden(size); kept = block; return block; }
int main(void)
{
    kept = visible(1001);
    kept = in_assembly(1003);
    return kept == NULL;
}
END
cat >assembly.s <<'END'
        .text
        .globl in_assembly
        .type in_assembly, @function
in_assembly:
        .cfi_startproc
        subq $8, %rsp
        .cfi_def_cfa_offset 16
        call malloc@PLT
        addq $8, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .section .note.GNU-stack,"",@progbits
END
# built NAME OPTIONS: the plain program
built() { gcc -O2 -w -o "$tmp/$1" "${@:2}" plain.c assembly.o; }
gcc -c assembly.s

built full -g && traced "" "$tmp/full"
same "-g: functions" "hidden visible main" "$(stack 1001 3)"
same "-g: a function in assembly, without a size" "in_assembly main" "$(stack 1003 2)"
same "-g: ... has no line, its caller has" "null plain.c" \
    "$(site 1003 .frames[0].line) $(site 1003 .frames[1].file | sed 's|.*/||')"
built symbols -g0 && traced "" "$tmp/symbols"
same "-g0: functions from the symbol table" "hidden visible main" "$(stack 1001 3)"
same "-g0: no file, no line" "null null" "$(site 1001 .frames[0].file) $(site 1001 .frames[0].line)"
check "-g0: the report says what would help" eval \
    '"$tracemalloc" report trace 2>/dev/null | grep -q "no debug information in .*/symbols: build with -g"'
built dynamic -g -rdynamic && strip dynamic && traced "" "$tmp/dynamic"
same "stripped, but exported: static functions are not named after their neighbours" "? visible main" \
    "$(stack 1001 3)"
built nothing -g && strip nothing && traced "" "$tmp/nothing"
same "stripped: no names" "? ? ?" "$(stack 1001 3)"
built unstripped -g
same "stripped: addresses and the module" "hidden $tmp/nothing" \
    "$(site 1001 .frames[0].address | addr2line -f -e unstripped | head -n 1) $(site 1001 .frames[0].module)"
same "stripped: no warning, it is the recorded file" "" "$(warnings)"

# ---- separate debug files ----
# separate NAME: strips the program, its debug information goes to NAME.debug, and gets a link to it.
separate() {
    objcopy --only-keep-debug "$1" "$1.debug" && strip "$1" && objcopy --add-gnu-debuglink="$1.debug" "$1"
}
lines_of() { echo "$(stack 1001 3) $(site 1001 .frames[0].line)"; }
named="hidden visible main 5"

mkdir linked && built linked/prog -g && (cd linked && separate prog) && traced "" "$tmp/linked/prog"
same "a debug link, beside the file" "$named" "$(lines_of)"
mkdir linked/.debug && mv linked/prog.debug linked/.debug/
same "a debug link, in .debug" "$named" "$(lines_of)"
mv linked/.debug/prog.debug linked/kept
built linked/other -g -O0 && objcopy --only-keep-debug linked/other linked/prog.debug
same "a debug file of another build is not used" "? ? ? null" "$(lines_of)"
rm linked/prog.debug && mkfifo linked/prog.debug
same "a FIFO as debug file does not stop it" "? ? ? null" "$(export -f json site stack lines_of
    export tracemalloc tmp && timeout 20 bash -c lines_of)"
rm linked/prog.debug
id=$(readelf -n linked/prog | sed -n 's/.*Build ID: //p')
folder=/usr/lib/debug/.build-id/${id:0:2}
if [ "$(id -u)" = 0 ] && [ -n "$id" ]; then
    existed=$([ -d "$folder" ] && echo yes)
    mkdir -p "$folder" && cp linked/kept "$folder/${id:2}.debug"
    same "a debug file found by the build-id" "$named" "$(lines_of)"
    rm "$folder/${id:2}.debug"
    [ "$existed" ] || rmdir -p --ignore-fail-on-non-empty "$folder"
    same "... and not without it" "? ? ? null" "$(lines_of)"
else
    skip "a debug file found by the build-id" "only root may put one into /usr/lib/debug"
fi

# ---- changed since ----
cat >other.c <<'END'
#include <stdlib.h>
__attribute__((noinline)) void *wrong(size_t size) { return malloc(size); }
__attribute__((noinline)) void *names(size_t size) { void *b = wrong(size); return b ? b : wrong(2); }
int main(void) { return !names(1); }
END
# changed NAME HOW WARNING: recorded, then changed by the command HOW: nothing is claimed, and it is named.
changed() {
    traced "" "$tmp/changing"
    eval "$2"
    same "$1: no names" "? ? ?" "$(stack 1001 3 2>/dev/null)"
    same "$1: named once in a warning" 1 "$(warnings | grep -cE "changing $3.*: no symbols")"
}
for id in sha1 none; do
    built changing -g -Wl,--build-id=$id && traced "" "$tmp/changing"
    same "--build-id=$id" "$named" "$(lines_of)"
    changed "rebuilt (--build-id=$id)" "gcc -g -O2 -w -Wl,--build-id=$id -o changing other.c" "has changed"
    built changing -g -Wl,--build-id=$id
    changed "no program any more (--build-id=$id)" 'echo text >changing' '(has changed|cannot be read)'
    built changing -g -Wl,--build-id=$id
    changed "gone (--build-id=$id)" 'rm changing' 'is gone'
    built changing -g -Wl,--build-id=$id
    changed "a directory now (--build-id=$id)" 'rm changing; mkdir changing' '.*'
    rmdir changing
done
built changing -g && traced "" "$tmp/changing" && cp -p changing copy && rm changing && mv copy changing
same "replaced by the same build: used" "$named" "$(lines_of)"
touch changing
same "touched: the build-id counts" "$named" "$(lines_of)"

# ---- plug-ins ----
cat >host.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
void *volatile kept;

static void *load(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW);
    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return plugin;
}

static void *use(void *plugin)
{
    void *(*work)(void) = (void *(*)(void))dlsym(plugin, "work");
    Dl_info info;
    kept = work();
    dladdr((void *)(uintptr_t)work, &info);
    return info.dli_fbase;
}

/* host COMMAND...: PATH loads, uses and unloads it; n=N: the next one N times; block: nothing comes where the
   last one was; keep: the next one is not unloaded; cd=PATH: before the next one is used. */
int main(int argc, char **argv)
{
    void *base = NULL;
    const char *directory = NULL;
    int times = 1, keep = 0;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "n=", 2)) {
            times = atoi(argv[i] + 2);
        } else if (!strcmp(argv[i], "block")) {
            mmap(base, 1 << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        } else if (!strcmp(argv[i], "keep")) {
            keep = 1;
        } else if (!strncmp(argv[i], "cd=", 3)) {
            directory = argv[i] + 3;
        } else {
            for (int n = 0; n < times; n++) {
                void *plugin = load(argv[i]);
                if (directory && chdir(directory))
                    return 1;
                base = use(plugin);
                if (!keep)
                    dlclose(plugin);
            }
            printf("%p\n", base);
            times = 1, keep = 0, directory = NULL;
        }
    }
    return 0;
}
END
cat >plugin.c <<'END'
#include <stdlib.h>
void *volatile kept;
__attribute__((noinline)) static void *INNER(void) { void *block = malloc(SIZE); kept = block; return block; }
void *work(void) { void *block = INNER(); kept = block; return block; }
END
# plugin NAME SIZE FILE: its function NAME_inner allocates so much
plugin() { gcc -g -O2 -w -shared -fPIC -DINNER="$1_inner" -DSIZE="$2" -o "$3" plugin.c; }
gcc -g -O2 -w -o host host.c -ldl && plugin first 2001 first.so && plugin second 2002 second.so

bases=$(traced "" ./host "$tmp/first.so" "$tmp/second.so" | xargs)
if [ "${bases% *}" = "${bases#* }" ]; then
    same "a plug-in where another was: both by their names" "first_inner work use second_inner work use" \
        "$(stack 2001 3) $(stack 2002 3)"
    same "... and by their modules" "$tmp/first.so $tmp/second.so" \
        "$(site 2001 .frames[0].module) $(site 2002 .frames[0].module)"
else
    skip "a plug-in where another was" "the loader put it elsewhere"
fi
"$tracemalloc" info trace >info.out
check "... of which info tells that they have gone" eval \
    '[ "$(grep -A2 -E "\"$tmp/(first|second).so\"" info.out | grep -c ", gone +")" = 2 ]'
(cd "$tmp" && traced "" ./host n=100 ./first.so ./second.so n=100 ./second.so n=100 ./first.so >/dev/null)
same "taking turns at one place: nothing is mixed up" "200 101 0" "$(of first_inner allocations) \
$(of second_inner allocations) $(json '.totals.truncated_stacks')"

bases=$(traced "" ./host "$tmp/first.so" block "$tmp/first.so" | xargs)
check "the plug-in is loaded at two addresses" [ "${bases% *}" != "${bases#* }" ]
same "loaded elsewhere: the same plug-in, the same site" "2 1" \
    "$(site 4002 .allocations) $("$tracemalloc" info trace | grep -cE '^ +[0-9]+  ".*/first.so"$')"
traced "" ./host n=10 "$tmp/first.so" >/dev/null
ten=$(json .sites_total)
traced "" ./host n=1000 "$tmp/first.so" >/dev/null
same "reloaded 1000 times: no new sites" "$ten 1000" "$(json .sites_total) $(of first_inner allocations)"
cp first.so twin.so
traced "" ./host keep "$tmp/first.so" keep "$tmp/twin.so" >/dev/null
same "two files of one build, loaded at once" "first_inner $tmp/first.so
first_inner $tmp/twin.so" "$(site 2001 '.frames[0] | .function + " " + .module' | sort)"
traced "" ./host keep "$tmp/first.so" >/dev/null
mv second.so first.so
same "a plug-in replaced since: named in a warning" 1 "$(warnings | grep -c "first.so has changed")"
same "... and no names" "? ?" "$(stack 2001 2 2>/dev/null)"

# ---- paths ----
hostile=$'a b\nc\033[31m\377d'
mkdir "$hostile" && built "$hostile/$hostile" -g && cp "$hostile/$hostile" kept.prog
traced "" "$tmp/$hostile/$hostile"
same "blanks, newlines, escapes and bytes that are no UTF-8 in the program's path" "$named" "$(lines_of)"
same "... in JSON, with a replacement character" "$(printf '\\nc\\u001b[31m\357\277\275d"')" \
    "$(json '.command[0] | tojson' | sed 's/.*b\\n/\\n/')"
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/$hostile/%e.here "$hostile/$hostile"
check "... and in the trace's own name" [ -s "$hostile/$hostile.here" ]
plugin first 2001 "$hostile/x.so"
traced "" ./host "$tmp/$hostile/x.so" >/dev/null
same "a plug-in in such a path" "first_inner work" "$(stack 2001 2)"

# ---- how it was started ----
ln -s full link && traced "" ./link
same "through a symbolic link" "$named" "$(lines_of)"
mkdir -p deep/er && cp full deep/er/prog
(cd deep && traced "" er/../er/prog)
same "by a relative path" "$named" "$(lines_of)"
sed 's/^int main/#include <unistd.h>\n&/; s/    kept = visible(1001);/    chdir("\/");&/' plain.c >chdir.c
gcc -O2 -w -g -o moves chdir.c assembly.o && traced "" ./moves
same "it changes its directory first" "hidden visible main 5" "$(lines_of)"
(cd deep && PATH=$tmp/deep/er:$PATH traced "" prog)
same "found in PATH" "$named" "$(lines_of)"
loader=$(readelf -l full | sed -n 's/.*interpreter: \(.*\)]/\1/p')
traced "" "$loader" ./full
same "by the dynamic loader" "$named" "$(lines_of)"
plugin first 2001 first.so
traced "" ./host cd=/ ./first.so >/dev/null
same "a plug-in by a relative path, and the directory changes" "first_inner work $tmp/first.so" \
    "$(stack 2001 2) $(site 2001 .frames[0].module)"
traced "" ./host cd=deep ./first.so >/dev/null
same "... to where another could be meant" "first_inner work $tmp/first.so" \
    "$(stack 2001 2) $(site 2001 .frames[0].module)"
mkdir libs && plugin first 2001 libs/first.so
(export LD_LIBRARY_PATH=libs && traced "" ./host cd=/ first.so >/dev/null)
same "a plug-in found in a relative LD_LIBRARY_PATH" "first_inner work $tmp/libs/first.so" \
    "$(stack 2001 2) $(site 2001 .frames[0].module)"

# ---- the executable is gone while it runs ----
sed 's/int main(void)/#include <unistd.h>\nint main(int n, char **arguments)/
     s/    kept = visible(1001);/    unlink(arguments[0]);&/' plain.c >leaves.c
gcc -O2 -w -g -o leaves leaves.c assembly.o && cp leaves leaves.kept && traced "" "$tmp/leaves"
same "deleted before it allocates: no names" "? ? ?" "$(stack 1001 3 2>/dev/null)"
check "... said in a warning" eval 'warnings | grep -q "leaves.* is gone: no symbols"'
cp leaves.kept leaves
same "put back: names" "hidden visible main" "$(stack 1001 3)"
gcc -g -O2 -w -o leaves other.c
same "something else put there: no names" "? ? ?" "$(stack 1001 3 2>/dev/null)"
finish
