#!/bin/sh
# Milliseconds of a convolution, f32[32,16,28,28] by [32,16,3,3], and of its adjoints, ours and
# PyTorch's: conv.sh [BUILD-FOLDER]
#
# One thread each. Both sides are there at once but work in turn, so that what disturbs the machine
# disturbs both; medians of the rounds are compared. Exit status 1 if one takes more than 1.5 times
# PyTorch's time. Without PyTorch nothing is judged.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
rounds=21
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

python=
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import torch' 2>/dev/null && python=$candidate && break
done

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM
mkfifo "$temp/ours.in" "$temp/ours.out" "$temp/torch.in" "$temp/torch.out"
"$build/bench/conv" <"$temp/ours.in" >"$temp/ours.out" &
exec 3>"$temp/ours.in" 4<"$temp/ours.out"
if [ "$python" ]; then
    "$python" bench/conv_torch.py <"$temp/torch.in" >"$temp/torch.out" &
    exec 5>"$temp/torch.in" 6<"$temp/torch.out"
fi
for round in $(seq 0 "$rounds"); do # the first is not counted
    echo >&3
    read -r ours <&4 || exit 1
    theirs=
    if [ "$python" ]; then
        echo >&5
        read -r theirs <&6 || exit 1
    fi
    [ "$round" = 0 ] || echo "$ours $theirs" >>"$temp/figures"
done
exec 3>&- 4<&- 5>&- 6<&-
wait

# median COLUMN
median() {
    cut -d' ' -f"$1" "$temp/figures" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}

status=0
column=0
echo "convolution f32[32,16,28,28] by [32,16,3,3], one thread"
for name in "output" "image's adjoint" "kernel's adjoint" "output, border 1" \
    "image's adjoint, border 1" "kernel's adjoint, border 1"; do
    column=$((column + 1))
    ours=$(median "$column")
    if [ "$python" ]; then
        theirs=$(median "$((column + 6))")
        awk -v name="$name" -v ours="$ours" -v theirs="$theirs" 'BEGIN {
            good = ours <= 1.5 * theirs
            printf "%-28s %7.3f ms   PyTorch %7.3f ms   ratio %.2f  %s\n", name, ours, theirs,
                ours / theirs, good ? "PASS" : "MISS"
            exit !good }' || status=1
    else
        printf '%-28s %7.3f ms   PyTorch (Debian: python3-torch) is not installed: not judged\n' \
            "$name" "$ours"
    fi
done
exit $status
