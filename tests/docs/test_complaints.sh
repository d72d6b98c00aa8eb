#!/bin/sh
# Every test that docs/complaints.md names exists: each "Tests:" paragraph lists files, `tests/...`,
# and behind a file the tests of it that are meant, which must be among those that it runs. Each
# complaint has such a paragraph.
set -eu
page=$WG_SOURCE_DIR/docs/complaints.md
cd "$WG_SOURCE_DIR"

complaints=$(grep -c '^### ' "$page")
proofs=$(grep -c '^Tests: ' "$page")
[ "$complaints" = "$proofs" ] || {
    echo "$complaints complaints and $proofs paragraphs of tests"
    exit 1
}

failed=0 checked=0 file=
for word in $(grep '^Tests: ' "$page" | grep -o '`[^`]*`' | tr -d '`'); do
    checked=$((checked + 1))
    case $word in
    tests/*)
        file=$word
        [ -f "$file" ] || { echo "no file $file"; failed=1; file=/dev/null; }
        ;;
    *)
        # EACH is what files call a test that begins in a fresh environment
        grep -qE "(cmocka_unit_test(_setup)?|EACH)\($word[,)]" "$file" || {
            echo "$file runs no $word"
            failed=1
        }
        ;;
    esac
done
echo "$checked names of files and tests checked"
[ "$checked" -gt 0 ] && [ "$failed" = 0 ]
