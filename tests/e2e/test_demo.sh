#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The demo and its input: the facts of cta.csv, the job's results in every representation, and what
# it says about bad input.  Run from the top of the tree; BUILD is where the programs are.
set -u
. tests/lib.sh
demo=$build/demo
cta=$build/cta.csv
representations="dict list tuple instance namedtuple slots float cached columns stream"
cta_sha256=dc029185be2b3afad31c131c0e17c83adc1ba340558bddd10868d1e4fb2f12a0

# run ARGUMENT...: the demo, with its status in $status, its output in $out and its messages in $err.
run()
{
    "$demo" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    out=$(cat "$tmp/out")
    err=$(cat "$tmp/err")
}

# refused NAME STATUS MESSAGE ARGUMENT...: nothing on stdout, and the message is the first on stderr.
refused()
{
    local name=$1 expected=$2 message=$3
    shift 3
    run "$@"
    same "$name" "$expected |  | $message" "$status | $out | ${err%%$'\n'*}"
}

# file TEXT: writes $tmp/t.csv, backslash escapes understood.
file()
{
    printf '%b' "$1" >"$tmp/t.csv"
}

header='route,date,daytype,rides\n'

if [ ! -x "$demo" ] || [ ! -f "$cta" ]; then
    echo "not ok - $demo and $cta are there"
    echo "0 passed, 1 failed"
    exit 1
fi

# The input.

same "cta.csv has the pinned checksum" "$cta_sha256" "$(sha256sum <"$cta" | cut -d' ' -f1)"
if [ -x "$build/make_cta" ]; then
    check "make_cta writes the same file again" "$build/make_cta" "$tmp/again.csv"
    check "... to the byte" cmp -s "$cta" "$tmp/again.csv"
    check "... and leaves no temporary file" [ ! -e "$tmp/again.csv.tmp" ]
    "$build/make_cta" /dev/full/x 2>/dev/null
    same "make_cta fails where it cannot write" 1 $?
    "$build/make_cta" 2>/dev/null
    same "make_cta without a name is a usage error" 2 $?
fi

size=$(wc -c <"$cta")
check "cta.csv has 13.8 MB within 3 %" [ "$size" -ge 13386000 -a "$size" -le 14214000 ]
same "cta.csv begins as the real one" \
    "route,date,daytype,rides 3,01/01/2001,U,7354 4,01/01/2001,U,9288 6,01/01/2001,U,6048 \
8,01/01/2001,U,6309 9,01/01/2001,U,11207" "$(head -6 "$cta" | tr '\n' ' ' | sed 's/ $//')"

# One pass for everything that concerns all rows.
awk -F, '
    NR == 1 { next }
    {
        rows++
        if (NF != 4 || $1 !~ /^[0-9A-Z]+$/ || $3 !~ /^[UAW]$/ || $4 !~ /^[1-9][0-9]*$/ ||
            $2 !~ /^[0-9][0-9]\/[0-9][0-9]\/20[0-9][0-9]$/)
            odd++
        day = substr($2, 7) substr($2, 1, 2) substr($2, 4, 2)
        if (day < last)
            disorder++
        if (day != last)
            daytype = $3
        if ($3 != daytype)
            mixed++
        last = day
        if (($1, $2) in seen)
            twice++
        seen[$1, $2]
        count[$1]++
        total[$1] += $4
        sum[$3] += $4
        of[$3]++
    }
    END {
        for (route in count) {
            routes++
            if (length(route) == 1) {
                short_routes++
                short_rows += count[route]
            }
            if (total[route] > 110746972)
                above++
        }
        printf "rows %d\nroutes %d\nshort_routes %d\nshort_rows %d\n", rows, routes, short_routes, short_rows
        printf "odd %d\ndisorder %d\nmixed %d\ntwice %d\nabove %d\n", odd, disorder, mixed, twice, above
        weekday = sum["W"] / of["W"]
        saturday = sum["A"] / of["A"]
        sunday = sum["U"] / of["U"]
        printf "busier %d\n", (weekday > saturday && saturday > sunday)
        printf "first %s\n", total[79] " " total[9] " " total[49] " " total[4] " " total[66] " " total[22]
    }' "$cta" >"$tmp/facts"

fact()
{
    same "cta.csv: $1" "$3" "$(sed -n "s/^$2 //p" "$tmp/facts")"
}
fact "676,476 rows" rows 676476
fact "182 routes" routes 182
fact "nine routes with a name of one character" short_routes 9
fact "... with 42,200 rows" short_rows 42200
fact "no row is odd" odd 0
fact "days in order" disorder 0
fact "one type of day on one day" mixed 0
fact "a route at most once a day" twice 0
fact "four routes above the fifth" above 4
fact "weekdays busier than Saturdays, and these than Sundays" busier 1
fact "the totals that are known" first "153736884 138645554 113908939 111154851 110746972 104039097"
same "cta.csv: a Saturday, a Sunday, Independence Day and Thanksgiving are what they were" AUUU \
    "$(awk -F, '$1 == 9 && $2 ~ /^(06.16.2001|06.17.2001|07.04.2006|11.22.2012)$/ { printf $3 }' "$cta")"

# The job.

expected="676476 Rows
Route 22: 104039097 rides
The five largest routes:
  79: 153736884 rides
  9: 138645554 rides
  49: 113908939 rides
  4: 111154851 rides
  66: 110746972 rides"

run "$cta"
same "the job without options" "0 |  | $expected" "$status | $err | $out"
for representation in $representations; do
    run --as "$representation" "$cta"
    same "the job as $representation" "0 |  | $expected" "$status | $err | $out"
done

# Small files, in every representation where they could differ.

all_as()
{
    local name=$1 expected_out=$2
    for representation in $representations; do
        run --as="$representation" "$tmp/t.csv"
        [ "$status | $err | $out" = "0 |  | $expected_out" ] || break
    done
    same "$name, in every representation" "0 |  | $expected_out" "$status | $err | $out"
}

file "$header"
all_as "no rows" "0 Rows
Route 22: 0 rides
The five largest routes:"

file "$header\"22\",\"01,01\",\"\"\"U\"\"\",\"10\"\n22,\"two\nlines\",W,5\r\n\n\"a,\"\"b\"\"\nc\",x,y,7"
all_as "quotes, commas, line ends, CRLF, a blank line, no last line end" "3 Rows
Route 22: 15 rides
The five largest routes:
  22: 15 rides
  a,\"b\"\x0ac: 7 rides"

file "${header}1,d,W,9007199254740992\n1,d,W,9007199254740991\n"
all_as "sums beyond what a double holds" "2 Rows
Route 22: 0 rides
The five largest routes:
  1: 18014398509481983 rides"

file "${header}f,d,W,1\ne,d,W,1\nd,d,W,1\nc,d,W,1\nb,d,W,1\na,d,W,1\n"
run "$tmp/t.csv"
same "equal routes come by name" "a b c d e" \
    "$(sed -n 's/^  \(.*\): 1 rides/\1/p' <<<"$out" | tr '\n' ' ' | sed 's/ $//')"

{ printf '%b' "$header" && head -c 3000000 /dev/zero | tr '\0' x &&
    printf ',d,W,4\n22,d,W,3\n'; } >"$tmp/t.csv"
run --as stream "$tmp/t.csv"
same "a line of three million bytes" "2 Rows Route 22: 3 rides" \
    "$(head -2 <<<"$out" | tr '\n' ' ' | sed 's/ $//')"

run -- "$cta"
same "-- before the file" "$expected" "$out"

# Bad input.  The message, its file and its line; in every representation for a row's fault.

t=$tmp/t.csv
bad()
{
    local name=$1 text=$2 message=$3
    file "$text"
    refused "$name" 1 "demo: $t:$message" "$t"
}

refused "a missing file" 1 "demo: $tmp/none.csv: No such file or directory" "$tmp/none.csv"
refused "a directory" 1 "demo: $tmp:1: Is a directory" "$tmp"
[ ! -r /proc/self/mem ] ||
    refused "a file that cannot be read" 1 "demo: /proc/self/mem:1: Input/output error" /proc/self/mem
bad "an empty file" "" "1: no header: the file is empty"
bad "a blank file" "\n\n" "3: no header: the file is empty"
bad "a wrong header" "route,day,daytype,rides\n1,d,W,1\n" "1: the header is not route,date,daytype,rides"
bad "a short header" "route,date,daytype\n" "1: the header is not route,date,daytype,rides"
bad "a long header" "route,date,daytype,rides,more\n" "1: the header is not route,date,daytype,rides"
bad "no header" "3,01/01/2001,U,7354\n" "1: the header is not route,date,daytype,rides"
bad "a byte order mark" "\xef\xbb\xbf$header" "1: the header is not route,date,daytype,rides"
bad "a short row" "${header}1,d,W,1\n1,d,W\n" "3: 4 fields are expected, not 3"
bad "a long row" "${header}1,d,W,1,\n" "2: 4 fields are expected, not 5"
bad "a row after one of several lines" "${header}1,\"d\n\n\",W,1\n1\n" "5: 4 fields are expected, not 1"

number="rides is not a whole number from 0 to 2^53"
bad "rides that are no number" "${header}1,d,W,1\n1,d,W,many\n" "3: $number: \"many\""
bad "rides with trailing garbage" "${header}1,d,W,12x\n" "2: $number: \"12x\""
bad "rides with a space" "${header}1,d,W, 12\n" "2: $number: \" 12\""
bad "negative rides" "${header}1,d,W,-1\n" "2: $number: \"-1\""
bad "a fraction of a ride" "${header}1,d,W,1.5\n" "2: $number: \"1.5\""
bad "no rides" "${header}1,d,W,\n" "2: $number: \"\""
bad "rides too large for a double" "${header}1,d,W,9007199254740993\n" "2: $number: \"9007199254740993\""
bad "rides too large for 64 bits" "${header}1,d,W,18446744073709551617\n" \
    "2: $number: \"18446744073709551617\""
bad "rides with a terminal's commands" "${header}1,d,W,\"\x1b[2J\xff\"\n" "2: $number: \"\\x1b[2J\\xff\""
bad "rides beyond all measure" "${header}1,d,W,$(printf '%050d' 0)x\n" \
    "2: $number: \"$(printf '%040d' 0)...\""

bad "a NUL byte" "${header}1,d\0,W,1\n" "2: NUL byte"
bad "a quote nobody closes" "${header}1,d,W,1\n1,\"d,W,1\n1,d,W,1\n" "3: the file ends inside a quoted field"
bad "text after a closing quote" "${header}\"1\"2,d,W,1\n" "2: text after the closing quote"
bad "a quote inside a plain field" "${header}1\"2,d,W,1\n" \
    "2: quote inside a field that does not begin with one"
bad "line ends of CR alone" "route,date,daytype,rides\r1,d,W,1\r" "1: carriage return without a line feed"

for representation in $representations; do
    file "${header}1,d,W,1\n2,d,W,2\n1,d,W,x\n"
    refused "a bad row as $representation" 1 "demo: $t:4: $number: \"x\"" --as "$representation" "$t"
done

{ printf '%b' "$header" && yes "1,d,W,9007199254740992" | head -2048; } >"$t"
refused "a sum beyond 64 bits" 1 \
    "demo: $t:2050: the rides of a route add up to more than 64 bits hold" "$t"
{ printf '%b' "$header" && yes "1,d,W,9007199254740992" | head -2047; } >"$t"
run "$t"
same "a sum just below" "0 |   1: 18437736874454810624 rides" "$status | $(tail -1 <<<"$out")"

# Out of memory at many places; not with a sanitizer, which reserves terabytes.
if ! grep -q __asan_init "$demo"; then
    for representation in dict list tuple instance namedtuple slots float cached columns; do
        said=0
        for limit in 4000 5000 7000 11000 14000; do
            (ulimit -v $limit && "$demo" --as "$representation" "$cta" >"$tmp/out" 2>"$tmp/err") 2>/dev/null
            status=$?
            if [ $status = 1 ] && [ ! -s "$tmp/out" ] &&
                grep -q "^demo: $cta:[0-9]*: out of memory$" "$tmp/err"; then
                said=$((said + 1))
            elif grep -q "out of memory" "$tmp/err" || [ $status -ge 128 ]; then
                said=-100
            fi
        done
        check "out of memory as $representation" [ $said -ge 2 ]
    done
fi

# Output that cannot be written.

file "${header}1,d,W,1\n"
"$demo" "$t" >/dev/full 2>"$tmp/err"
same "a full disk" "1 demo: cannot write the results: No space left on device" "$? $(cat "$tmp/err")"
"$demo" "$t" >&- 2>"$tmp/err"
same "no standard output" "1 demo: cannot write the results: Bad file descriptor" "$? $(cat "$tmp/err")"
"$demo" --help >/dev/full 2>"$tmp/err"
same "a full disk for --help" 1 $?

# Usage.

refused "no file" 2 "demo: no file given"
refused "two files" 2 "demo: more than one file given" "$t" "$t"
refused "an unknown representation" 2 "demo: no such representation: set" --as set "$t"
refused "an unknown option" 2 "demo: no such option: --fast" --fast "$t"
refused "an unknown short option" 2 "demo: no such option: -x" -x "$t"
refused "an unknown option among others" 2 "demo: no such option: -y" "$t" -yx
refused "an option with a word too many" 2 "demo: no such option: --help=me" --help=me
refused "--as without a word" 2 "demo: an argument is missing after --as" "$t" --as
run --sizes "$cta"
same "sizes, without the recorder" "0 | $expected
First row: only the recorder knows its size" "$status | $out"
run --help
named=$(sed -n 's/^      \([a-z]*\) .*/\1/p' <<<"$out" | tr '\n' ' ')
same "--help names the representations" "0 $representations " "$status $named"

finish
