#!/bin/sh
# Runs every example of learning on the small digits: it must learn as well as it did when it was
# written, and meet files that are missing or broken with one line and exit status 1.
set -eu
cd "${WG_SOURCE_DIR:-$(dirname "$0")/../..}"
examples=${WG_BUILD_DIR:-build}/examples
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# run EXAMPLE [ARGUMENT]: what it prints goes to $temp/out
run() {
    "$examples/$1" ${2+"$2"} >"$temp/out" 2>"$temp/err" || fail "$1: exit status $?"
    [ ! -s "$temp/err" ] || fail "$1: $(cat "$temp/err")"
}

# at_least WHAT FIGURE GOAL
at_least() { awk "BEGIN { exit !(${2:-0} >= $3) }" || fail "$1: ${2:-none}, at least $3 expected"; }

last_accuracy() { sed -n 's/.*accuracy \([0-9.]*\).*/\1/p' "$temp/out" | tail -n 1; }

# refused EXAMPLE FOLDER MESSAGE: one line on standard error, nothing else, and exit status 1
refused() {
    status=0
    "$examples/$1" "$2" >"$temp/out" 2>"$temp/err" || status=$?
    [ $status = 1 ] || fail "$1 $2: exit status $status"
    [ ! -s "$temp/out" ] || fail "$1 $2: prints $(cat "$temp/out")"
    [ "$(cat "$temp/err")" = "$1: $3" ] || fail "$1 $2: $(cat "$temp/err")"
}

run softmax data/digits
at_least "softmax" "$(last_accuracy)" 0.85
run network data/digits
at_least "network" "$(last_accuracy)" 0.88
run fourier data/digits
at_least "fourier" "$(last_accuracy)" 0.91

run digits data/digits
at_least "digits" "$(last_accuracy)" 0.89
grep -q '^1437 images learned 40 times in [0-9.]* s' "$temp/out" || fail "digits: no last line"
[ "$(grep -c '^epoch ' "$temp/out")" = 40 ] || fail "digits: not one line an epoch"
! grep -q "$(printf '\r')" "$temp/out" || fail "digits: a moving bar in a file"

# A linear classifier fails on the spiral, the network does not; both draw the plane.
run spiral
sed -nE 's/^(linear|network).*accuracy //p' "$temp/out" | {
    read -r linear && read -r network
    awk "BEGIN { exit !($linear < 0.6 && $network >= 0.99) }"
} || fail "spiral: $(grep accuracy "$temp/out")"
[ "$(grep -c '^[.o#]\{64\}$' "$temp/out")" = 56 ] || fail "spiral: the drawing is torn"

# Three activations, four layers: what Wengert derives is what one derives by hand.
run deep
awk '{ for (i = 3; i <= NF; i += 2) if ($i <= 1e-12) same++ }
    END { exit !(NR == 3 && same == 12) }' "$temp/out" || fail "deep: $(cat "$temp/out")"

# Sequences of other lengths from step to step, and longer than any that was learned from.
run recurrent
[ "$(sed -n 's/.*accuracy //p' "$temp/out" | wc -l)" = 6 ] || fail "recurrent: $(cat "$temp/out")"
at_least "recurrent" "$(last_accuracy)" 0.98

# A C function with a rule: the rule is right in both orders, and the fit finds what was put in.
run bessel
grep -q '^the rule against differences: [0-9.e-]*, second order [0-9.e-]*$' "$temp/out" ||
    fail "bessel: $(head -n 1 "$temp/out")"
awk 'END { exit !($2 < 2e-4 && $5 > 2.48 && $5 < 2.52 && $8 > 1.69 && $8 < 1.71) }' "$temp/out" ||
    fail "bessel: $(tail -n 1 "$temp/out")"

# The gradient through 10,000 steps from 20 snapshots: the same bits in a fiftieth of the memory.
run string
awk '/^everything kept/ { all = $3 }
    /^20 snapshots/ && 50 * $3 < all && $NF == 0 { good = 1 }
    END { exit !good }' "$temp/out" || fail "string: $(cat "$temp/out")"

# An orbit by Taylor series is where Kepler's equation says, to 1e-13.
run kepler
awk '/off by/ { if ($NF < 1e-13) good++ } END { exit !(good == 2) }' "$temp/out" ||
    fail "kepler: $(cat "$temp/out")"

# The noise that the process learns is near that of the data, and so are its predictions.
run gaussian_process
awk '/log evidence/ { value[++n] = $5; noise = $NF } END { exit !(n == 6 && value[6] > -15.7 && value[6] > value[1] && noise > 0.15 && noise < 0.25) }' \
    "$temp/out" || fail "gaussian_process: $(cat "$temp/out")"
awk '/predictions/ { exit !($3 < 0.1) }' "$temp/out" || fail "gaussian_process: $(tail -n 1 "$temp/out")"

# Newton's steps through the filter end at once, near the noises of the simulation.
run kalman
awk '/^step/ { steps++; gradient = $6 } /^found/ { motion = $3 + 0; sight = $8 + 0 }
    END { exit !(steps <= 8 && gradient < 1e-7 && motion > 0.08 && motion < 0.12 && sight > 0.45 && sight < 0.55) }' \
    "$temp/out" || fail "kalman: $(cat "$temp/out")"
# A thousand variables without a Hessian, and penalties by derivatives through the fit.
run rosenbrock
grep -q '^converged: [0-9.]*e-[01][0-9] from the minimum$' "$temp/out" ||
    fail "rosenbrock: $(cat "$temp/out")"
run ridge
awk '/^converged/ { if ($9 + 0 < 0.43 && $11 > 0.45) good = 1 } END { exit !good }' "$temp/out" ||
    fail "ridge: $(cat "$temp/out")"

# Newton's method with a sparse Jacobian: quadratic, to the known solution.
run bratu
awk '/^10000 unknowns, 29998 entries, 3 sweeps$/ { good++ }
    /^off by/ { if ($NF < 1e-6) good++ }
    END { exit !(good == 2 && NR <= 6) }' "$temp/out" || fail "bratu: $(cat "$temp/out")"

mkdir "$temp/cut"
cp data/digits/* "$temp/cut"
head -c 1000 data/digits/train-images-idx3-ubyte >"$temp/cut/train-images-idx3-ubyte"
for example in softmax network fourier digits; do
    refused $example "$temp" "$temp/train-images-idx3-ubyte: No such file or directory"
    refused $example "$temp/cut" "$temp/cut/train-images-idx3-ubyte: 91968 bytes of data expected \
for u8[1437,8,8], 984 there"
done

# Fewer labels than images, and images of another size to test with, are a matter of shapes.
cp data/digits/* "$temp/cut"
cp data/digits/t10k-labels-idx1-ubyte "$temp/cut/train-labels-idx1-ubyte"
for example in softmax network fourier digits; do
    refused $example "$temp/cut" \
        'input "label": i64[N] = i64[1437] expected, i64[360] given'
done

# An example is to be read at one sitting; a solver may ask for more callbacks.
for file in examples/*.c examples/solvers/*.c; do
    most=120
    [ "$(dirname "$file")" = examples ] || most=140
    [ "$(wc -l <"$file")" -lt $most ] || fail "$file: $most lines or more"
done

[ $failures = 0 ] || exit 1
