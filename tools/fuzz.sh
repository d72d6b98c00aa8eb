#!/bin/sh
# tools/fuzz.sh BUILD [NAME...]: runs each fuzzer of a build with -DWG_FUZZ=ON, or those named, for
# FUZZ_SECONDS (60). They begin with fuzz/corpus/NAME and with what earlier runs found, which is
# kept in BUILD/corpus/NAME. An input that shows a fault is written to BUILD/NAME-crash-*: mend the
# fault, and put the input into fuzz/corpus/NAME under a name that says what it was.
set -eu
build=$1
shift
root=$(dirname "$0")/..
[ $# -gt 0 ] || set -- formula program npy idx json
export OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
failed=
for name in "$@"; do
    mkdir -p "$build/corpus/$name"
    if "$build/fuzz/$name" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="$build/$name-" -print_final_stats=1 \
        "$build/corpus/$name" "$root/fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
        inputs=$(awk '/number_of_executed_units/ {print $2}' "$build/$name.log")
        echo "$name: $inputs inputs, no fault"
    else
        tail -n 60 "$build/$name.log"
        failed="$failed $name"
    fi
done
[ -z "$failed" ] || { echo "faults in:$failed; logs and inputs are in $build" >&2; exit 1; }
