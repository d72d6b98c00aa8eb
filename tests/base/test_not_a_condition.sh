#!/bin/sh
# A value of a graph is no condition of C: `if (x > 1)` and its like must not compile, so that nobody
# records one branch of two unseen. What is meant by them does compile.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
generated=$WG_BUILD_DIR/include

# compiles CODE: as the body of a function of x
compiles() {
    {
        echo '#include <wengert.h>'
        echo 'int f(wg_var x);'
        printf 'int f(wg_var x) {\n    %s\n    return 0;\n}\n' "$1"
    } >"$work/f.c"
    cc -std=c11 -fsyntax-only -I"$WG_SOURCE_DIR/include" -I"$generated" "$work/f.c" \
        >"$work/said" 2>&1
}

failed=0
for condition in 'x > 1' 'x' '!x' 'x == x' '1 < x' 'x && 1' 'wg_gt(x, 1)' 'wg_gt(x, 1) || 1'; do
    for code in "if ($condition) return 1;" "while ($condition) return 1;" \
        "return ($condition) ? 1 : 2;"; do
        if compiles "$code"; then
            echo "compiles: $code"
            failed=1
        fi
    done
done
for code in 'if (wg_item(x) > 1) return 1;' 'x = wg_where(wg_gt(x, 1), x, 1); (void)x;' \
    'if (x.graph) return 1;'; do
    if ! compiles "$code"; then
        echo "does not compile: $code"
        cat "$work/said"
        failed=1
    fi
done
exit $failed
