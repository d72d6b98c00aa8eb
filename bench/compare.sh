#!/bin/sh
# Wengert against hand-written C, ADOL-C, PyTorch and differences, one thread each:
#
#     compare.sh [BUILD-FOLDER [--quick] [--case NAME]]
#
# Prints the table and the targets, and writes BUILD-FOLDER/bench.json. What is compiled and cached
# during the run lives in a folder of its own, so that "for the first time" is true.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# = 0 ] || shift
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$temp" WENGERT_CACHE="$temp/cache"

"$build/bench/compare" --json "$build/bench.json" "$@"
echo "written: $build/bench.json"
