# What nobody means to type: large and deep formulas, files without end, pipes that close.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
enter_scratch
failed=0
fail() { echo "FAILED: $*"; failed=1; }

# expect STATUS PATTERN COMMAND...: exit status, and a first line of standard error that matches
expect() {
    status=$1 pattern=$2
    shift 2
    "$@" > out 2> err </dev/null
    got=$?
    [ $got -eq "$status" ] || fail "$* has exit status $got, not $status: $(head -c 500 err)"
    if [ "$status" -eq 0 ]; then
        [ ! -s err ] || fail "$* says $(head -c 500 err)"
    else
        head -n 1 err | grep -q -e "^wengert: $pattern" ||
            fail "$* says $(head -c 500 err), not $pattern"
        [ "$(head -n 1 err | wc -c)" -lt 400 ] || fail "$*: the first line of the error is too long"
        [ "$(wc -c < err)" -lt 2200 ] || fail "$*: the error is too long"
    fi
}

# 10 MB of terms: two million of them
yes 'x + ' | head -c 10000000 | tr -d '\n' > long.wg
echo x >> long.wg
expect 0 '' wengert eval long.wg --at x=1
[ "$(cat out)" = "y = 2000001" ] || fail "10 MB of terms give $(head -c 100 out)"

head -c 100000 /dev/zero | tr '\0' '(' > deep.wg
expect 1 'deep.wg:1:[0-9]*: ' wengert eval deep.wg
head -c 100000 /dev/zero | tr '\0' '-' > minus.wg
echo x >> minus.wg
wengert eval minus.wg --at x=1 > out 2> err
[ $? -le 1 ] || fail "100,000 minus signs"
head -c 10000000 /dev/zero | tr '\0' 'x' > name.wg
expect 1 'name.wg:1:1: \|xxx' wengert eval name.wg
head -c 3000000 /dev/zero > zero.wg
expect 1 'zero.wg:1:1: ' wengert eval zero.wg
head -c 100000 /dev/urandom > noise.wg
expect 1 'noise.wg:[0-9]*:[0-9]*: ' wengert eval noise.wg

# values
brackets=$(head -c 100000 /dev/zero | tr '\0' '[')
expect 1 '--at x: brackets more than 8 deep' wengert eval -e x --at "x=$brackets"
digits=$(head -c 100000 /dev/zero | tr '\0' '9')
expect 1 '--at x: a number expected' wengert eval -e x --at "x=$digits"
expect 1 "--at: there is no input 'xxxxx" wengert eval -e 1 --at "$(head -c 100000 name.wg)=1"
{
    printf '{"x": ['
    yes '0.5,' | head -n 100000 | tr -d '\n'
    printf '1]}'
} > large.json
expect 0 '' wengert eval -e 'sum(x)' --at @large.json
[ "$(cat out)" = "y = 50001" ] || fail "100,001 values give $(head -c 100 out)"
expect 1 '--at: noise.wg:[0-9]*:[0-9]*: this is no JSON' wengert eval -e x --at @noise.wg

# a size that no memory holds
printf '\223NUMPY\1\0v\0%-117s\n' \
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 16), }" > lie.npy
expect 1 '--at x: lie.npy: ' wengert eval -e x --at x=@lie.npy

# a graph that Graphviz would not survive
{
    echo 'f(x) = {'
    seq 2000 | sed 's/.*/y& = x*&/'
    echo '}'
} > wide.wg
expect 0 '' wengert graph wide.wg -o wide.dot
if wengert graph -e x --format svg > /dev/null 2>&1; then # this build draws
    expect 1 "a graph of [0-9]* nodes and edges is too large" wengert graph wide.wg -o wide.svg
    [ ! -e wide.svg ] || fail "a graph that is too large left a file"
fi

# a reader that leaves early: no message, and no end by anything but SIGPIPE
yes 0.5, | head -n 100000 | tr -d '\n' | sed 's/^/[/; s/$/1]/' > large_list.json
(wengert eval -e x --at x=@large_list.json 2> err; echo $? > status) | head -c 1 > out
[ ! -s err ] || fail "a closed pipe: $(cat err)"

# a directory that may not be written to keeps its file
[ "$(id -u)" -eq 0 ] || {
    mkdir closed && echo old > closed/file && chmod 555 closed
    expect 1 'cannot write closed/file' wengert eval -e 1 -o closed/file
    [ "$(cat closed/file)" = old ] || fail "a file was lost"
    chmod 755 closed
}
exit $failed
