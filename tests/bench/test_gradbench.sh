#!/bin/sh
# The tool of GradBench on small requests made here: its values are those of plain C to rounding, its
# derivatives those of central differences of plain C to what these allow, for every evaluation,
# interpreted and natively; and what is wrong with a request is told in the answer.
set -eu
gradbench=${WG_BUILD_DIR:-build}/bench/gradbench
[ -x "$gradbench" ] || { echo "without bench/gradbench, which needs cJSON"; exit 0; }
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

fail() {
    echo "FAIL: $*"
    exit 1
}

# requests EVALUATION VALUE DERIVATIVE INPUT: a session of four requests
requests() {
    printf '{"id": 0, "kind": "start", "eval": "%s"}\n' "$1"
    printf '{"id": 1, "kind": "define", "module": "%s"}\n' "$1"
    printf '{"id": %d, "kind": "evaluate", "module": "%s", "function": "%s", "input": %s}\n' \
        2 "$1" "$2" "$4" 3 "$1" "$3" "$4"
}

# array A B C: nested lists of numbers that repeat nowhere
array() {
    awk -v shape="$*" '
        function list(axis,   i, text) {
            if (axis > rank) return sprintf("%.6f", 0.4*sin(1.7*count++ + 0.3))
            for (i = 0; i < n[axis]; i++) text = text (i ? ", " : "") list(axis + 1)
            return "[" text "]"
        }
        BEGIN { rank = split(shape, n, " "); print list(1) }'
}

# affine N: 4 x 4 matrices whose last row is 0 0 0 1
affine() {
    array "$1" 4 4 | sed 's/\[[^][]*\]\]/[0, 0, 0, 1]]/g'
}

# numbers KEY < answers: the numbers of outputs, a line each, those of request ID first
numbers() {
    sed -n "s/.*\"id\":$1,\"success\":true,\"output\":\(.*\),\"timings\".*/\1/p" |
        tr -c '0-9eE.+\n-' '\n' | grep '[0-9]' || true
}

# agree TOLERANCE A B: as many numbers, and all off by no more than that part of the largest
agree() {
    paste "$2" "$3" | awk -v tolerance="$1" '
        NF != 2 { print "not as many numbers"; bad = 1; exit }
        { a[NR] = $1; b[NR] = $2; size = $1 < 0 ? -$1 : $1; if (size > most) most = size }
        END {
            if (bad) exit 1
            if (!NR) { print "no numbers"; exit 1 }
            for (i = 1; i <= NR; i++) {
                off = a[i] - b[i]
                if (off < 0) off = -off
                if (!(off <= tolerance*most)) { print "number", i, "is", a[i], "not", b[i]; exit 1 }
            }
        }'
}

# check NAME VALUE DERIVATIVE INPUT MODE...
check() {
    name=$1
    requests "$1" "$2" "$3" "$4" >"$temp/requests"
    shift 4
    "$gradbench" --plain <"$temp/requests" >"$temp/plain"
    for mode; do
        "$gradbench" $mode <"$temp/requests" >"$temp/ours"
        for id in 2 3; do
            numbers $id <"$temp/plain" >"$temp/right"
            numbers $id <"$temp/ours" >"$temp/got"
            agree $([ $id = 2 ] && echo 1e-12 || echo 1e-7) "$temp/right" "$temp/got" ||
                fail "$name, request $id, ${mode:-natively}: $(head -c 400 "$temp/ours")"
        done
    done
}

check hello square double 3.25 --interpret ""
gmm='"d": 3, "k": 2, "n": 7, "m": 2, "gamma": 0.7'
gmm="$gmm, \"alpha\": $(array 2), \"mu\": $(array 2 3), \"q\": $(array 2 3), \"l\": $(array 2 3)"
check gmm objective jacobian "{$gmm, \"x\": $(array 7 3)}" --interpret ""
ba='{"n": 2, "m": 3, "p": 40, "w": 0.4, "feat": [3.5, -2],
     "cam": [0.01, 0.2, -0.3, 1, 2, 30, 40, 5, -6, 0.09, 0.003], "x": [7, 0.5, 3]}'
check ba objective jacobian "$(echo "$ba" | tr -d '\n')" --interpret ""
check ba objective jacobian "$(echo "$ba" | tr -d '\n' | sed 's/0.01, 0.2, -0.3/0, 0, 0/')" --interpret
model="\"bone_count\": 4, \"bone_names\": [\"a\", \"b\", \"c\", \"d\"], \"parents\": [-1, 0, 1, 2],
       \"base_relatives\": $(affine 4), \"inverse_base_absolutes\": $(affine 4),
       \"base_positions\": $(array 5 4), \"weights\": $(array 5 4),
       \"triangles\": [[0, 1, 2], [2, 3, 4], [4, 0, 3]], \"is_mirrored\": false"
data="\"model\": {$model}, \"correspondences\": [2, 0, 1, 1], \"points\": $(array 4 3)"
for us in "[]" "$(array 4 2)"; do
    ht="{\"theta\": $(array 26), \"us\": $us, \"data\": {$data}}"
    check ht objective jacobian "$(echo "$ht" | tr -d '\n')" --interpret
done
lstm="{\"main_params\": $(array 4 12), \"extra_params\": $(array 3 3), \"state\": $(array 4 3),
       \"sequence\": [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1]]}"
check lstm objective jacobian "$(echo "$lstm" | tr -d '\n')" --interpret
check llsq primal gradient "{\"x\": $(array 9), \"n\": 33}" --interpret ""
check lse primal gradient "{\"x\": $(array 70)}" --interpret ""

# ---- runs are repeated and timed

requests lse primal gradient '{"x": [1, 2], "min_runs": 5, "min_seconds": 0}' |
    "$gradbench" --interpret >"$temp/ours"
[ "$(sed -n 3p "$temp/ours" | grep -o '"name":"evaluate","nanoseconds":[0-9]' | wc -l)" -ge 5 ] ||
    fail "not five timings: $(sed -n 3p "$temp/ours")"
[ "$(grep -c '"name":"prepare","nanoseconds":[0-9]' "$temp/ours")" = 2 ] || fail "no preparation"

# ---- what is wrong is told, and the session goes on

cat >"$temp/requests" <<'END'
nonsense
{"id": 1, "kind": "define", "module": "kmeans"}
{"id": 2, "kind": "evaluate", "module": "lse", "function": "hessian", "input": {"x": [1]}}
{"id": 3, "kind": "evaluate", "module": "gmm", "function": "objective", "input": {"d": 2.5}}
{"id": 4, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"n": 4}}
{"id": 5, "kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [1, "b"]}}
{"id": 6, "kind": "evaluate", "module": "lstm", "function": "jacobian", "input": {"sequence": []}}
{"id": 7, "kind": "evaluate", "module": "hello", "function": "square", "input": {}}
{"id": 8, "kind": "evaluate", "module": "ht", "function": "objective", "input": null}

{"id": 9, "kind": "goodbye"}
{"id": 10, "kind": "evaluate", "module": "hello", "function": "double", "input": 4}
END
"$gradbench" --interpret <"$temp/requests" >"$temp/ours" || fail "exit status $?"
# told LINE TEXT
told() {
    sed -n "$1p" "$temp/ours" | grep -qF "$2" || fail "line $1: $(sed -n "$1p" "$temp/ours")"
}
told 1 '{"id":null,"success":false,"error":"a request is a JSON object on a line of its own"}'
told 2 "\"error\":\"no evaluation 'kmeans'; there are hello gmm ba ht lstm llsq lse\""
told 3 "\"error\":\"lse has no function 'hessian'; it has primal and gradient\""
told 4 "\"error\":\"gmm: 'd' is no whole number of at least 1\""
told 5 "\"error\":\"llsq: the input has no 'x'\""
told 6 "\"error\":\"lse: 'x' is not float[2]\""
told 7 "\"error\":\"lstm: the input has no 'main_params'\""
told 8 '"error":"hello: the input is no number"'
told 9 "\"error\":\"ht: the input has no 'data'\""
told 10 '{"id":9}'
told 11 '"success":true,"output":8,'
status=0
"$gradbench" --nonsense </dev/null 2>"$temp/err" || status=$?
[ $status = 2 ] || fail "--nonsense: exit status $status"
