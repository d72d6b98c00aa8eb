#!/bin/sh
# Runs the examples of the documents. In every .md file of the project
#   ```c file=name.c   (any language)  writes the block to name.c, and
#   ```console         holds commands behind "$ " and, below each, what it prints, and "[status]" if
#                      that is not 0; empty lines at the end do not count.
#   ```console needs=x is left out where the example of the solver x is not built (WG_SOLVERS), or
#                      x is libclang and C functions cannot be read.
# They run in one empty folder per document, with the built command and library in reach, as they
# would be after an installation.
set -eu
build=$(dirname "$WENGERT")
work=$(mktemp -d)
export WENGERT_CACHE="$work/cache"
trap 'rm -rf "$work"' EXIT
export PATH="$build:$PATH" LC_ALL=C.UTF-8
export CPATH="$WG_SOURCE_DIR/include:$build/include" LIBRARY_PATH="$build" LD_LIBRARY_PATH="$build"
# under the sanitizers, what links against the library is sanitized too
if [ -n "${WG_SANITIZE_FLAGS:-}" ]; then
    cc() { command cc $WG_SANITIZE_FLAGS "$@"; }
fi

given=${WG_SOLVERS:-}
"$WENGERT" show "$WG_SOURCE_DIR/examples/csource/chain.c:energy" >"$work/got" 2>&1 && given="$given libclang"
failed=0 ran=0
for document in "$WG_SOURCE_DIR"/README.md "$WG_SOURCE_DIR"/CONTRIBUTING.md \
    "$WG_SOURCE_DIR"/docs/*.md; do
    [ -f "$document" ] || continue
    name=$(basename "$document" .md)
    mkdir "$work/$name"
    cd "$work/$name"
    cp -r "$WG_SOURCE_DIR/examples" "$WG_SOURCE_DIR"/examples/*.wg .
    # steps/N.cmd and steps/N.out for the N-th command
    mkdir steps
    awk -v solvers=" $given " '
        /^```/ && !inside {
            inside = 1; console = ($1 == "```console"); out = ""
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^file=/) out = substr($i, 6)
                if ($i ~ /^needs=/ && !index(solvers, " " substr($i, 7) " ")) console = 0
            }
            next
        }
        /^```/ { inside = 0; next }
        inside && out != "" { print > out }
        inside && console && /^\$ / {
            step = sprintf("steps/%03d", ++n)
            print substr($0, 3) > (step ".cmd"); printf "" > (step ".out"); more = /\\$/
            next
        }
        inside && console && more { print > (step ".cmd"); more = /\\$/; next }
        inside && console { print > (step ".out") }
    ' "$document"
    for command in steps/*.cmd; do
        [ -f "$command" ] || continue
        ran=$((ran + 1))
        status=0
        (. "./$command") >got 2>&1 </dev/null || status=$?
        [ "$status" = 0 ] || echo "[$status]" >>got
        for text in got "${command%.cmd}.out"; do # $(...) drops the empty lines at the end
            printf '%s\n' "$(cat "$text")" >trimmed && mv trimmed "$text"
        done
        if ! cmp -s got "${command%.cmd}.out"; then
            echo "$name.md: $(cat "$command")"
            diff -u "${command%.cmd}.out" got || true
            failed=1
        fi
    done
done
echo "$ran commands of the documents ran"
[ "$ran" -gt 0 ] && [ "$failed" = 0 ]
