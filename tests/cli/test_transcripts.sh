# Golden transcripts of the command: what it prints, to the digit, and its exit statuses.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
failed=0
# without libclang there are no C functions
reads_c() { (enter_scratch && wengert show chain.c:energy >"$scratch/out" 2>&1) || return 1; }
for transcript in "$WG_SOURCE_DIR"/tests/golden/cli/*.txt; do
    case $(basename "$transcript") in csource*) reads_c || continue ;; esac
    (enter_scratch && check_transcript "$transcript" "$(basename "$transcript")") || failed=1
done
exit $failed
