#!/bin/sh
# What `make demo` shows once everything is built: demo.sh [BUILD-FOLDER]
set -eu
# Products of this size gain nothing from a second thread, and lose much waiting for it.
export OPENBLAS_NUM_THREADS=1
cd "$(dirname "$0")/.."
build=${1:-build}
formula=examples/case_a.wg
at=x1=3,x2=5,x3=1

heading() { printf '\n== %s\n\n' "$1"; }
show() {
    printf '$ %s\n' "$*"
    "$@"
    echo
}

heading "A formula"
cat "$formula"

heading "Its evaluation trace at x = (3, 5, 1)"
show "$build/wengert" trace "$formula" --at "$at" --fold
heading "Forward mode: the tangents of x1, one column of the Jacobian"
show "$build/wengert" trace "$formula" --at "$at" --fold --tangent x1
heading "Reverse mode: the adjoints of y1, one row of the Jacobian"
show "$build/wengert" trace "$formula" --at "$at" --fold --adjoint y1
heading "The whole Jacobian"
show "$build/wengert" jacobian "$formula" --at "$at"
heading "The same derivatives against central differences"
show "$build/wengert" check "$formula" --at "$at"

heading "Learning to read handwritten digits"
if sh tools/fetch_mnist.sh; then
    data=data/mnist
else
    data=data/digits
    echo "Taking the 1,797 small digits in $data instead."
fi
show "$build/examples/digits" "$data" | tee "$build/demo.txt"
seconds() { sed -n 's/.* times in \([0-9.]*\) s$/\1/p' "$1"; }
native=$(seconds "$build/demo.txt")
if [ "$native" ]; then
    "$build/examples/digits" "$data" interpret >"$build/demo_interpreted.txt"
    interpreted=$(seconds "$build/demo_interpreted.txt")
    echo "Its gradient ran as native code. Interpreted the same takes $interpreted s:" \
        "$(awk "BEGIN { printf \"%.2f\", $interpreted/$native }") times as long."
fi
