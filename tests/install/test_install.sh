#!/bin/sh
# The installed tree as a stranger uses it: installed through DESTDIR, then moved, and a small
# program built against it in C and C++, with the shared and the static library, through pkg-config
# and through CMake's find_package. And the headers, each by itself, under every compiler here.
set -eu
if [ "${WG_INSTRUMENTED:-}" ]; then
    echo "skipped: what is built with a sanitizer is not for installing"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
consumer=$WG_SOURCE_DIR/tests/install/consumer
fail() { echo "FAILED: $*" >&2; exit 1; }

DESTDIR=$work/stage cmake --install "$WG_BUILD_DIR" --prefix /opt/first >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "cmake --install"; }
[ "$(ls "$work/stage")" = opt ] || fail "files beside the prefix: $(ls "$work/stage")"
mv "$work/stage/opt/first" "$work/moved"
moved=$work/moved

# Nothing that is read as text may say where it once was, or was built.
told=$(find "$moved" -name '*.cmake' -o -name '*.pc' | xargs grep -l -F -e /opt/first \
    -e "$work/stage" -e "$WG_BUILD_DIR" -e "$WG_SOURCE_DIR") && fail "absolute paths in $told"

pc=$(find "$moved" -name wengert.pc)
[ -n "$pc" ] || fail "no wengert.pc"
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
libraries=$(dirname "$PKG_CONFIG_PATH")

# expect NAME COMMAND...: it prints the gradient, and that the library is the header's
expect() {
    name=$1
    shift
    [ "$("$@")" = "12 9 1" ] || fail "$name prints $("$@" 2>&1)"
    echo "ok: $name"
}

# ---- headers

strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
headers=$(cd "$moved/include" && find . -name '*.h' | sed 's,^\./,,')
[ -n "$headers" ] || fail "no headers"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    for header in $headers; do
        echo "#include <$header>" >"$work/alone.c"
        $compiler -std=c11 $strict -fsyntax-only -I"$moved/include" "$work/alone.c" ||
            fail "$header by itself, $compiler"
    done
done
for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    for header in $headers; do
        echo "#include <$header>" >"$work/alone.cpp"
        $compiler -std=c++17 $strict -fsyntax-only -I"$moved/include" "$work/alone.cpp" ||
            fail "$header by itself, $compiler"
    done
    # Of macros C++ gets constants alone: the rest needs what only C has.
    echo '#include <wengert.h>' >"$work/alone.cpp"
    $compiler -std=c++17 -dM -E -I"$moved/include" "$work/alone.cpp" | grep -i '#define wg' |
        grep -E -e '^#define wg' -e '^#define WG_[A-Z_]*\(' && fail "macros of C in C++"
    echo "ok: headers in $compiler"
done

# ---- pkg-config

for language in c cpp; do
    case $language in
    c) compile="cc -std=c11" ;;
    cpp) compile="c++ -std=c++17" ;;
    esac
    $compile $strict "$consumer/use.$language" $(pkg-config --cflags --libs wengert) \
        -o "$work/shared" || fail "pkg-config, shared"
    expect "pkg-config, shared, $language" env LD_LIBRARY_PATH="$libraries" "$work/shared"
    # Where both libraries lie the linker takes the shared one: the static one is named.
    $compile $strict "$consumer/use.$language" $(pkg-config --cflags wengert) \
        $(pkg-config --static --libs wengert | sed 's/-lwengert/-l:libwengert.a/') \
        -o "$work/static" || fail "pkg-config, static"
    expect "pkg-config, static, $language" "$work/static"
done
[ "$(pkg-config --modversion wengert)" = "$("$moved/bin/wengert" --version | cut -d' ' -f2)" ] ||
    fail "two versions"

# ---- CMake

cmake -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$moved" >"$work/log" 2>&1 &&
    cmake --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log"; fail "find_package"; }
for language in c cpp; do
    for library in wengert wengert_static; do
        expect "find_package, $library, $language" "$work/build/${language}_$library"
    done
done
