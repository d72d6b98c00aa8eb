# Every help text is there, and its example prints what it says. Noise in the last digits of a check
# is masked.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
enter_scratch
failed=0
fail() { echo "FAILED: $*"; failed=1; }
mask() { sed 's/[0-9.]*\(e-[0-9]*\)\{0,1\}  *at most/~ at most/'; }

commands=$(wengert help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 12 ] || fail "the overview lists only: $commands"
for command in $commands; do
    wengert "$command" --help > "$scratch/help" || fail "$command --help"
    wengert help "$command" | diff - "$scratch/help" || fail "help $command"
    awk 'length($0) > 80' "$scratch/help" | grep . && fail "$command --help: lines above 80 columns"
    sed -n '/^Example:$/,$s/^  //p' "$scratch/help" > "$scratch/example"
    if [ "$command" != help ]; then
        grep -Eq "^\\$ wengert $command( |\$)" "$scratch/example" ||
            fail "$command --help has no example"
    fi
    replay < "$scratch/example" | mask > "$scratch/replay"
    mask < "$scratch/example" | diff - "$scratch/replay" || fail "the example of $command"
    # the reference tells of every option
    for option in $(sed -n 's/^  \(-[a-z], \)\{0,1\}\(--*[a-z]*\) .*/\2/p' "$scratch/help"); do
        grep -q -e "\`$option[ =\`]" "$WG_SOURCE_DIR/docs/command.md" ||
            fail "docs/command.md lacks $option"
    done
    grep -q "^## .*$command\|^| \`$command" "$WG_SOURCE_DIR/docs/command.md" ||
        fail "docs/command.md lacks $command"
done
exit $failed
