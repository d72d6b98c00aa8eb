#!/bin/sh
# solvers.sh BUILD: for each example of a solver the calls of compiled functions, the time in them,
# their share of the solver's whole time, and the same with the solver's own differences; medians of
# 15 runs in turns.
set -eu
build=$1
rounds=15
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OPENBLAS_NUM_THREADS=1

# run NAME [differences]: a line "calls us_within us_in_all" more in $work/NAME[_differences]
run() {
    LD_PRELOAD=$build/bench/solvers/clock.so "$build/examples/solvers/$1" ${2+"$2"} \
        >"$work/out" 2>>"$work/$1${2+_$2}"
}

# median COLUMN FILE
median() { awk -v c="$1" '{print $c}' "$2" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }

names=
for name in nlopt gsl ipopt cvode kinsol; do
    [ ! -x "$build/examples/solvers/$name" ] || names="$names $name"
done
round=0
while [ $round -lt $rounds ]; do
    for name in $names; do
        run "$name"
        [ "$name" = nlopt ] || run "$name" differences # NLopt has none of its own
    done
    round=$((round + 1))
done

printf '%-8s %-12s %8s %12s %12s %7s\n' solver derivatives calls 'in them, us' 'in all, us' share
for name in $names; do
    for mode in '' _differences; do
        file=$work/$name$mode
        [ -f "$file" ] || continue
        calls=$(median 1 "$file") within=$(median 2 "$file") all=$(median 3 "$file")
        awk -v name="$name" -v mode="${mode:+differences}" -v calls="$calls" \
            -v within="$within" -v all="$all" 'BEGIN {
            printf "%-8s %-12s %8d %12.1f %12.1f %6.0f%%\n", name, mode ? mode : "exact", calls,
                within, all, 100*within/all }'
    done
done
