# Native code by clang: the tests that compare it, with $CC set, in a cache that is theirs.
set -u
if ! command -v clang > /dev/null; then
    echo "clang is not there"
    exit 0
fi
[ -x "$WG_BUILD_DIR/tests/test_native" ] || exit 0 # built without native code
CC=clang
export CC
for name in test_native test_threads_native test_native_accuracy; do
    "$WG_BUILD_DIR/tests/$name" || exit 1
done
