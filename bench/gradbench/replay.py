#!/usr/bin/env python3
"""GradBench's saved sessions through our tool: every answer is checked against the saved one, and one
table tells our times beside plain C here and the best of other tools.

    replay.py TOOL DATA [--seconds S] [--rounds N] [CASE ...]

TOOL is build/bench/gradbench, DATA a folder of CASE.requests.jsonl.gz and CASE.expected.json.gz. The
tool and its plain C take turns, N rounds (3) of S seconds (0.3) of runs each; the least time counts,
because what others do on the machine only adds. Arrays must agree to 1e-9 of their largest entry, the
gradient of lse to 4e-8, since the saved one drops a term of rounding. Exit status 1 where an answer
is wrong; a target that is missed is told and is no error. Without data nothing is done.
"""
import argparse
import glob
import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
SIZES = ["std", "tiny", "small", "medium", "large"]
EVALUATIONS = ["hello", "gmm", "ba", "ht", "lstm", "llsq", "lse"]
VALUES = ["square", "objective", "primal"]
MOST_RATIO = {"lstm": 3, "gmm": 4, "ba": 6}  # derivative over value


class Session:
    """A tool that answers requests."""

    def __init__(self, command, cache):
        environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
                           WENGERT_CACHE=cache)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=environment)

    def ask(self, request):
        self.process.stdin.write((json.dumps(request) + "\n").encode())
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("replay: the tool ended without an answer")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def arrays(output, path="output", found=None):
    """Each array of an answer as a flat list, by where it stands."""
    found = {} if found is None else found
    if isinstance(output, dict):
        for key in output:
            arrays(output[key], path + "." + key, found)
    elif isinstance(output, list):
        found.setdefault(path, [])
        for element in output:
            arrays(element, path, found)
    else:
        found.setdefault(path, []).append(output)
    return found


def disagreement(expected, got):
    """The largest difference of an array over its largest entry; infinite where shapes differ."""
    expected, got = arrays(expected), arrays(got)
    if {k: len(v) for k, v in expected.items()} != {k: len(v) for k, v in got.items()}:
        return math.inf
    worst = 0.0
    for path, right in expected.items():
        scale = max((abs(x) for x in right), default=0) or 1
        for x, y in zip(right, got[path]):
            if not isinstance(y, (int, float)) or not math.isfinite(y):
                return math.inf
            worst = max(worst, abs(x - y) / scale)
    return worst


def milliseconds(reply, name):
    times = [t["nanoseconds"] for t in reply.get("timings", []) if t["name"] == name]
    return min(times) / 1e6 if times else math.inf


def replay(case, options):
    """What a case's requests took: {"value": ms, "derivative": ms, "plain": ms, ...}, and whether
    all answers were right."""
    evaluation = case.split("-")[0]
    path = os.path.join(options.data, case)
    with gzip.open(path + ".expected.json.gz", "rt") as file:
        expected = json.load(file)
    with gzip.open(path + ".requests.jsonl.gz", "rt") as file:
        requests = [json.loads(line) for line in file]
    ours = Session([options.tool], options.cache)
    plain = Session([options.tool, "--plain"], options.cache)
    row, right, index = {"case": case, "error": 0.0}, True, 0
    for request in requests:
        if request["kind"] != "evaluate":
            right &= ours.ask(request).get("success", True)
            plain.ask(request)
            continue
        kind = "value" if request["function"] in VALUES else "derivative"
        answer = request["input"]
        if isinstance(answer, dict):
            answer.update(min_runs=3, min_seconds=options.seconds)
        for _ in range(options.rounds):
            reply = ours.ask(request)
            if not reply.get("success"):
                print(f"replay: {case}: {request['function']}: {reply.get('error')}")
                right = False
                break
            row[kind] = min(row.get(kind, math.inf), milliseconds(reply, "evaluate"))
            prepare = kind + " prepare"
            row[prepare] = max(row.get(prepare, 0), milliseconds(reply, "prepare"))
            if kind == "value" and evaluation != "hello":
                row["plain"] = min(row.get("plain", math.inf),
                                   milliseconds(plain.ask(request), "evaluate"))
        else:
            error = disagreement(expected[index]["output"], reply["output"])
            row["error"] = max(row["error"], error)
            if error > (4e-8 if (evaluation, kind) == ("lse", "derivative") else 1e-9):
                print(f"replay: {case}: {request['function']} is off by {error:.1e}")
                right = False
        index += 1
    ours.end()
    plain.end()
    return row, right


def read_others():
    others = {}
    with open(os.path.join(FOLDER, "others.tsv")) as file:
        for line in file:
            if not line.startswith("#"):
                case, value, derivative, tool = line.split()
                others[case] = (float(value), float(derivative), tool)
    return others


def machine(rows, others):
    """How long this machine takes for what the other took 1 for: the median over cases of plain C
    here over the C++ there. Not ht's: the C++ makes matrices on the heap, plain C does not."""
    ratios = [row["plain"] / others[row["case"]][0] for row in rows
              if row["case"] in others and not row["case"].startswith("ht")]
    return statistics.median(ratios) if ratios else 1.0


def quotient(a, b):
    """NaN of a run that took less than the clock tells."""
    return a / b if b > 0 else math.nan


def print_row(row, others, factor):
    """A line of the table; which targets the case meets and misses."""
    case = row["case"]
    value, derivative = row["value"], row["derivative"]
    ratio = quotient(derivative, value)
    their_value, their_derivative, tool = others.get(case, (math.nan, math.nan, ""))
    their_value *= factor
    their_derivative *= factor
    print(f"{case:12} {value:9.4f} {row.get('plain', math.nan):9.4f} {their_value:9.4f}"
          f" {derivative:11.4f} {ratio:6.2f} {their_derivative:9.4f} {tool:9}"
          f" {quotient(their_derivative, derivative):6.1f} {row['error']:8.0e}"
          f" {row['value prepare']:8.0f} {row['derivative prepare']:8.0f}")
    if case not in others:
        return []
    most = MOST_RATIO.get(case.split("-")[0])
    targets = [(f"{case}: derivative at most {most} values", ratio <= most)] if most else []
    return targets + [(f"{case}: value ahead of the C++", value < their_value),
                      (f"{case}: derivative ahead of {tool}", derivative < their_derivative)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_intermixed_args()
    names = [os.path.basename(path)[:-len(".requests.jsonl.gz")]
             for path in glob.glob(os.path.join(options.data, "*.requests.jsonl.gz"))]
    if not names:
        print(f"no saved sessions of GradBench in {options.data}: nothing is replayed")
        return 0
    chosen = [case for case in names
              if not options.cases or any(word in (case, *case.split("-")) for word in options.cases)]
    chosen.sort(key=lambda case: (EVALUATIONS.index(case.split("-")[0]),
                                  SIZES.index(case.split("-")[1])))
    others, rows, targets, right = read_others(), [], [], True
    with tempfile.TemporaryDirectory() as options.cache:  # empty: what is compiled, is for once
        for case in chosen:
            if sys.stderr.isatty():
                print(f"{case:20}", end="\r", file=sys.stderr)
            row, good = replay(case, options)
            right &= good
            if "value" in row and "derivative" in row:
                rows.append(row)
    factor = machine(rows, others)
    print(f"Milliseconds. Others' are those of others.tsv times {factor:.2f}: what plain C takes here for"
          f" what the C++ took there.\n\n{'':12} {'':9} {'':9} {'others':>9} {'':11} {'by our':>6} {'others':>9}"
          f" {'':9} {'ahead':>6} {'':8} {'to make ready':>17}\n{'':12} {'value':>9} {'plain C':>9}"
          f" {'C++':>9} {'derivative':>11} {'value':>6} {'best':>9} {'':9} {'times':>6} {'error':>8}"
          f" {'value':>8} {'deriv.':>8}")
    for row in rows:
        targets += print_row(row, others, factor)
    print()
    for text, met in targets:
        print(f"{'met   ' if met else 'MISSED'}  {text}")
    return 0 if right else 1


sys.exit(main())
