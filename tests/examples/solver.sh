#!/bin/sh
# solver.sh NAME runs examples/solvers/NAME with exact derivatives and, where the solver has its own
# differences, with these: both must find the known answer. A solver forgives wrong derivatives and
# only takes more steps, so the steps are bounded too.
set -eu
example=$WG_BUILD_DIR/examples/solvers/$1
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

fail() {
    echo "FAIL: $*"
    cat "$temp/out" "$temp/err"
    exit 1
}

# run [differences]: the answer, then the counts
run() {
    "$example" "$@" >"$temp/out" 2>"$temp/err" || fail "exit status $?"
    [ ! -s "$temp/err" ] || fail "a message"
    [ "$(wc -l <"$temp/out")" = 2 ] || fail "not two lines"
    sed -n '1s/: right$/&/p' "$temp/out" | grep -q . || fail "no right answer"
}

# expect WORDS OPERATOR NUMBER: what the counts say of WORDS, "12 steps, 3 Jacobians"
expect() {
    count=$(sed -n "2s/.*\b\([0-9][0-9]*\) $1\(,.*\|\)\$/\1/p" "$temp/out")
    [ "${count:--1}" "$2" "$3" ] || fail "${count:-no} $1, expected $2 $3"
}

run
case $1 in
nlopt)
    expect values -le 10000
    expect 'of them with the gradient' -ge 100
    exit 0 # NLopt has no differences
    ;;
gsl)
    expect steps -le 16
    expect Jacobians -ge 5
    expect 'second derivatives' -ge 5
    run differences
    expect Jacobians -eq 0
    expect 'second derivatives' -eq 0
    ;;
ipopt)
    expect Jacobians -ge 5
    expect Hessians -ge 5
    expect Hessians -le 10
    run differences
    expect Jacobians -eq 0
    expect Hessians -eq 0
    ;;
cvode)
    expect Jacobians -ge 10
    expect Jacobians -le 80
    expect 'rates for them' -eq 0
    run differences
    expect 'rates for them' -ge 30
    ;;
kinsol)
    expect steps -le 10
    expect products -le 40
    expect 'residuals for them' -eq 0
    run differences
    expect 'residuals for them' -ge 10
    ;;
*) fail "no bounds for $1" ;;
esac
