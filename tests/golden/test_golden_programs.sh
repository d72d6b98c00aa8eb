#!/bin/sh
# Golden programs: each .wg file of tests/golden/programs holds a program, commands to run on it
# ("#$ wengert ... %", where % is the file) and, behind "#> ", what they print. With WRITE=1 the
# expected lines are written anew: read the difference before you commit it.
set -u
PATH=$(dirname "$WENGERT"):$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for program in "$WG_SOURCE_DIR"/tests/golden/programs/*.wg; do
    while IFS= read -r line; do
        case $line in
        '#> '* | '#>') ;;
        '#$ '*)
            printf '%s\n' "$line"
            command=$(printf '%s\n' "${line#??}" | sed "s|%|$program|g")
            eval "$command" </dev/null 2>&1 | sed 's/^/#> /; s/ *$//'
            ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <"$program" >"$work/replay"
    if [ "${WRITE:-}" ]; then
        cp "$work/replay" "$program"
    elif diff -u "$program" "$work/replay"; then
        echo "ok: $(basename "$program")"
    else
        failed=1
    fi
done
exit $failed
