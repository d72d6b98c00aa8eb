#!/bin/sh
# Seconds an epoch of training on MNIST, ours and PyTorch's: mnist.sh [BUILD-FOLDER [DATA-FOLDER]]
#
# Same models, batches, rate, element type and initial distribution, one thread each. Both sides are
# there at once but work in turn, an epoch each, so that what disturbs the machine disturbs both.
# Medians are compared. Exit status 1 if a goal is missed.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
data=${2:-data/mnist}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

python=
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import torch, numpy' 2>/dev/null && python=$candidate && break
done
[ "$python" ] || echo "PyTorch (Debian: python3-torch) is not installed: only our figures follow."

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM
status=0

# goal TEXT FIGURE RELATION GOAL
goal() {
    if awk "BEGIN { exit !($2 $3 $4) }"; then verdict=PASS; else verdict=MISS status=1; fi
    printf '%s  %s: %s, goal %s %s\n' "$verdict" "$1" "$2" "$3" "$4"
}
# The median of a file's first column, the last number of its n-th line.
median() {
    cut -d' ' -f1 "$1" | sort -n | awk '{ x[NR] = $1 }
        END { printf "%.4f", (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'
}
accuracy() { sed -n "$2s/.* //p" "$1"; }

# model HIDDEN EPOCHS: the figures of each epoch into $temp/ours and $temp/torch
model() {
    rm -f "$temp"/*
    mkfifo "$temp/ours.in" "$temp/ours.out" "$temp/torch.in" "$temp/torch.out"
    "$build/bench/mnist" "$data" "$1" <"$temp/ours.in" >"$temp/ours.out" &
    exec 3>"$temp/ours.in" 4<"$temp/ours.out"
    if [ "$python" ]; then
        "$python" bench/mnist_torch.py "$data" "$1" <"$temp/torch.in" >"$temp/torch.out" &
        exec 5>"$temp/torch.in" 6<"$temp/torch.out"
    fi
    echo "epoch   seconds  accuracy${python:+   PyTorch  accuracy}"
    for epoch in $(seq "$2"); do
        echo >&3
        read -r seconds right <&4 || exit 1
        echo "$seconds $right" >>"$temp/ours"
        printf '%5d   %7s  %8s' "$epoch" "$seconds" "$right"
        if [ "$python" ]; then
            echo >&5
            read -r seconds right <&6 || exit 1
            echo "$seconds $right" >>"$temp/torch"
            printf '   %7s  %8s' "$seconds" "$right"
        fi
        echo
    done
    exec 3>&- 4<&- 5>&- 6<&-
    wait
}

compare() {
    ours=$(median "$temp/ours")
    echo "median  $ours s an epoch"
    [ "$python" ] || return 0
    torch=$(median "$temp/torch")
    ratio=$(awk "BEGIN { printf \"%.2f\", $ours / $torch }")
    echo "PyTorch $torch s an epoch, ratio $ratio"
}

echo "MNIST, 784 -> 10, batch 100, f32, one thread"
model 0 5
compare
goal "accuracy after 5 epochs" "$(accuracy "$temp/ours" 5)" ">=" 0.915
echo
echo "MNIST, 784 -> 128 -> 10 with relu, batch 100, f32, one thread"
model 128 10
compare
goal "accuracy after 10 epochs" "$(accuracy "$temp/ours" 10)" ">=" 0.975
[ -z "$python" ] || goal "seconds an epoch over PyTorch's" "$ratio" "<=" 1.2
exit $status
