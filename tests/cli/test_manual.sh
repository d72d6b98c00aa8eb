# Man pages and completions have every command and option of the help texts, and say them to man and
# bash without a complaint.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
enter_scratch
failed=0
fail() { echo "FAILED: $*"; failed=1; }

mkdir man completion
wengert --generate . || fail "nothing is generated"
for command in $(wengert help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    page=man/wengert-$command.1
    [ -s "$page" ] || fail "$command has no page"
    grep -q "wengert.-$command " man/wengert.1 || fail "wengert.1 does not name $command"
    for option in $(wengert "$command" --help |
        sed -n 's/^  \(-[a-z], \)\{0,1\}\(--*[a-z]*\) .*/\2/p'); do
        grep -q -e "^[^.].*fB$(printf %s "$option" | sed 's/-/\\\\-/g')\\\\fR" "$page" ||
            fail "$page lacks $option"
        grep -q -e "'\**$option\[" completion/_wengert || fail "_wengert lacks $option"
    done
done
grep -q '^    check) words=.*--sweep' completion/wengert.bash && fail "options stand among choices"
if command -v man > /dev/null; then
    for page in man/*.1; do
        LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null |
            grep . && fail "$page"
    done
fi
if command -v bash > /dev/null; then
    cat > try.bash <<'END'
. completion/wengert.bash
complete_line() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _wengert
    echo "${COMPREPLY[@]}"
}
complete_line wengert gra
complete_line wengert gradient --mo
complete_line wengert hvp --mode ''
complete_line wengert eval case_a
END
    bash try.bash > got || fail "the completion of bash"
    printf '%s\n' 'graph gradient' --mode 'auto numeric' case_a.wg | diff - got ||
        fail "completions"
fi
command -v zsh > /dev/null && { zsh -n completion/_wengert || fail "the completion of zsh"; }
wengert --generate /nowhere 2> err && fail "a folder that is not there"
grep -q 'cannot write /nowhere/man/wengert.1' err || fail "the error: $(cat err)"
exit $failed
