# Replays a transcript: prints the lines of standard input that begin with "# " or "$ ", and behind
# each "$ " line what its command prints, both streams as they come, and "[status]" if it is not 0.
# A transcript is right if its replay is equal to it; run `sh tests/cli/replay.sh < FILE` with
# WENGERT set to write one anew. Sourced by the tests beside it; no test by itself.

# The command under test as `wengert`, in a folder of its own that holds the examples, with an empty
# cache.
enter_scratch() {
    [ -x "$WENGERT" ] || { echo "WENGERT names no command" >&2; exit 1; }
    scratch=$(mktemp -d) || exit 1
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/bin"
    ln -s "$WENGERT" "$scratch/bin/wengert"
    PATH=$scratch/bin:$PATH
    export WENGERT_CACHE="$scratch/cache"
    unset WENGERT_CACHE_SIZE
    mkdir "$scratch/work"
    cp "$WG_SOURCE_DIR"/examples/*.wg "$WG_SOURCE_DIR"/examples/csource/* "$scratch/work"
    cd "$scratch/work" || exit 1
}

replay() {
    first=yes
    while IFS= read -r line; do
        case $line in
        '# '*) [ "$first" ] || echo; printf '%s\n' "$line" ;;
        '$ '*)
            [ "$first" ] || echo
            printf '%s\n' "$line"
            status=0
            (eval "${line#??}") </dev/null 2>&1 || status=$?
            [ "$status" -eq 0 ] || echo "[$status]"
            ;;
        *) continue ;;
        esac
        first=
    done
}

# Whether the replay of file $1 is equal to it; $2 names it in what is printed.
check_transcript() {
    replay < "$1" > "$scratch/replay"
    if diff -u "$1" "$scratch/replay" > "$scratch/diff"; then
        echo "ok: $2"
    else
        echo "FAILED: $2"
        cat "$scratch/diff"
        return 1
    fi
}

case $0 in *replay.sh) enter_scratch; replay ;; esac
