# Golden transcripts of the command: what it prints, to the digit, and its exit statuses.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
failed=0
for transcript in "$WG_SOURCE_DIR"/tests/golden/cli/*.txt; do
    (enter_scratch && check_transcript "$transcript" "$(basename "$transcript")") || failed=1
done
exit $failed
