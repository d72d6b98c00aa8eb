#!/bin/sh
# The harness of `make bench` at tiny sizes: Wengert's values and gradients agree with the
# hand-written ones and with differences in every case (the harness checks, and checks that a spoilt
# gradient is noticed), and the JSON holds every row. Nothing is concluded from times.
set -eu
compare=${WG_BUILD_DIR:-build}/bench/compare
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

fail() {
    echo "FAIL: $*"
    exit 1
}

"$compare" --smoke --json "$temp/bench.json" >"$temp/out" 2>"$temp/err" ||
    fail "exit status $?: $(cat "$temp/err")"
[ ! -s "$temp/err" ] || fail "$(cat "$temp/err")"

cases=$(grep -c '"case"' "$temp/bench.json")
[ "$cases" -ge 8 ] || fail "$cases cases"
# everywhere FILE PATTERN: the pattern is there once a case
everywhere() { [ "$(grep -c "$2" "$temp/$1")" = "$cases" ] || fail "$1: not in every case: $2"; }
for contestant in "Wengert, interpreted" "hand-written C" "central differences"; do
    everywhere out "$contestant  *[0-9]"
    everywhere bench.json "\"contestant\": \"$contestant\", \"primal_ms\": [0-9]"
done

status=0
"$compare" --nonsense 2>"$temp/err" || status=$?
[ $status = 2 ] || fail "--nonsense: exit status $status"
