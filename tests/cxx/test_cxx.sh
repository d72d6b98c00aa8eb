#!/bin/sh
# The C++ face under every C++ compiler here, warnings as errors: what it computes, also as the scalar
# of Eigen's matrices where these are, and what must not compile: a comparison of recorded numbers.
set -eu
if [ "${WG_INSTRUMENTED:-}" ]; then
    echo "skipped: what is built with a sanitizer is not for linking with others"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$WG_SOURCE_DIR/tests/cxx
strict="-std=c++17 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
include="-I$WG_SOURCE_DIR/include -I$WG_BUILD_DIR/include"
export LD_LIBRARY_PATH="$WG_BUILD_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
eigen=$(pkg-config --cflags-only-I eigen3 2>/dev/null | sed 's/-I/-isystem /g') || eigen=

# compiles CODE: as the body of a function of two recorded numbers
compiles() {
    printf '#include <wengert.hpp>\nint f(wg::var x, wg::var y);\nint f(wg::var x, wg::var y) {\n    (void)x, (void)y;\n    %s\n    return 0;\n}\n' "$1" >"$work/f.cpp"
    $compiler $strict $include -fsyntax-only "$work/f.cpp" >"$work/said" 2>&1
}

# The programs in the documents, one a file.
awk -v work="$work" '/^```cpp/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print > (work "/shown" n ".cpp") }' \
    "$WG_SOURCE_DIR/docs/cxx.md"

failed=0 found=
for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    found=$compiler
    for name in face ${eigen:+eigen}; do
        $compiler $strict $include $eigen "$here/$name.cpp" -o "$work/$name" -L"$WG_BUILD_DIR" -lwengert -lpthread
        if "$work/$name"; then echo "ok: $name, $compiler"; else failed=1; fi
    done
    for shown in "$work"/shown*.cpp; do
        $compiler $strict $include "$shown" -o "$work/shown" -L"$WG_BUILD_DIR" -lwengert
        "$work/shown" >"$work/said" || { echo "fails: $shown"; failed=1; }
    done
    for condition in 'x < y' 'x > 1' '1 <= x' 'x >= y' 'x' '!x'; do
        if compiles "if ($condition) return 1;"; then
            echo "compiles: $condition, $compiler"
            failed=1
        fi
    done
    for code in 'if (value(x) < value(y)) return 1;' 'x = wg::where(wg::lt(x, y), x, 1);' \
        'if (x.is_constant()) return 1;'; do
        compiles "$code" || { echo "does not compile: $code, $compiler"; cat "$work/said"; failed=1; }
    done
done
[ "$found" ] || echo "skipped: no C++ compiler"
exit $failed
