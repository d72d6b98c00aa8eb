#!/bin/sh
# What the shared library exports: wg_* and nothing else, and exactly tests/abi/symbols.txt, so that
# no function comes, goes or is forgotten unseen. With WRITE=1 the list is written anew: read the
# difference, and where a line is gone raise WG_ABI_VERSION (include/wengert/base.h).
set -eu
if [ "${WG_INSTRUMENTED:-}" ]; then
    echo "skipped: sanitizers export names of their own"
    exit 0
fi
list=$WG_SOURCE_DIR/tests/abi/symbols.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$WG_BUILD_DIR/libwengert.so" | awk '{print $3}' | LC_ALL=C sort >"$work/now"
if grep -v '^wg_' "$work/now"; then
    echo "exported above, but not named wg_*"
    exit 1
fi
if [ "${WRITE:-}" ]; then
    cp "$work/now" "$list"
elif ! diff -u "$list" "$work/now"; then
    echo "exported functions have changed: WRITE=1 sh $0 (with WG_SOURCE_DIR and WG_BUILD_DIR set)"
    echo "writes the list anew; for a line that is gone, raise WG_ABI_VERSION too"
    exit 1
fi

# The file is named by the number in the header.
number=$(sed -n 's/^#define WG_ABI_VERSION //p' "$WG_SOURCE_DIR/include/wengert/base.h")
soname=$(objdump -p "$WG_BUILD_DIR/libwengert.so" | awk '$1 == "SONAME" {print $2}')
[ "$soname" = "libwengert.so.$number" ] || { echo "soname $soname, not .$number"; exit 1; }
