"""make bench-layers: where the time of one model goes, step by step.

    python tests/bench/layers.py --ampoule build/ampoule --build build/bench --model rcmnet_a [--runs 30]

In:  a model's name, or the path of an .onnx file.
Out: a line a step: median ms, share of the whole, what the step is; then sums by kind of step.

How: the emitted net_model.c runs its steps from one table in one loop.  A copy gets a clock read around
the call in this loop and is built, as emitted otherwise, into a program; the compiler knows nothing of it.
"""

import argparse
import collections
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))

CALL = "status = steps[i](&r);"
CLOCKED = "const long long began = bench_clock(); status = steps[i](&r); bench_step((int)i, bench_clock() - began);"
DRIVER = r"""
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
long long bench_clock(void);
void bench_step(int step, long long ns);
static int printing;
long long bench_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
void bench_step(int step, long long ns)
{
	if (printing)
		printf("%d %lld\n", step, ns);
}
static void *block(int64_t n)
{
	void *p = aligned_alloc(AMP_ALIGN, ((size_t)n / AMP_ALIGN + 1) * AMP_ALIGN);
	if (!p)
		exit(1);
	return p;
}
int main(int argc, char **argv)
{
	const struct amp_model *m = &net_model;
	const void *in[16];
	void *out[16], *state = block(m->state_bytes), *prepared = block(m->prepared_bytes), *arena = block(m->arena_bytes);
	unsigned seed = 7;
	if (argc != 2 || m->n_in > 16 || m->n_out > 16)
		return 2;
	for (int i = 0; i < m->n_in; i++) {
		float *x = block(m->in[i].bytes);
		if (m->in[i].dtype != AMP_FLOAT)
			return 3;
		for (int64_t k = 0; k < m->in[i].bytes / 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			x[k] = (float)(seed >> 8) / 8388608.0f - 1.0f;
		}
		in[i] = x;
	}
	for (int i = 0; i < m->n_out; i++)
		out[i] = block(m->out[i].bytes);
	if (m->prepare(state, m->weights, prepared, NULL, -1))
		return 4;
	for (int run = -3; run < atoi(argv[1]); run++) {
		printing = run >= 0;
		if (m->run(state, arena, in, out))
			return 5;
	}
	return 0;
}
"""


def emit(args, path, folder):
    subprocess.run([args.ampoule, "compile", path, "-o", folder, "--name", "net", "--library"], check=True,
                   stdout=subprocess.DEVNULL)
    source = os.path.join(folder, "net_model.c")
    with open(source) as f:
        text = f.read()
    if text.count(CALL) != 1:
        sys.exit("layers.py: the emitted loop over the steps looks different now: change CALL in this file")
    # what each step is: the first line of the comment above it
    about = {int(n): words for n, words in re.findall(r"^ \* (\d+): (.+)$", text, re.M)}
    text = text.replace(CALL, CLOCKED)
    with open(source, "w") as f:
        f.write("long long bench_clock(void);\nvoid bench_step(int step, long long ns);\n" + text)
    with open(os.path.join(folder, "driver.c"), "w") as f:
        f.write(DRIVER)
    subprocess.run(["make", "-s", "-j2", "-C", folder, "CC=" + args.cc], check=True)
    program = os.path.join(folder, "driver")
    subprocess.run([args.cc, "-O2", "-I" + folder, "-o", program, os.path.join(folder, "driver.c"),
                    os.path.join(folder, "libnet.a")], check=True)
    return program, about


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ampoule", required=True)
    parser.add_argument("--build", required=True, metavar="DIR")
    parser.add_argument("--model", required=True)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--cc", default="gcc")
    args = parser.parse_args()
    os.environ.pop("MAKEFLAGS", None)   # variables given to make are not for the emitted Makefile
    path, name = args.model, os.path.splitext(os.path.basename(args.model))[0]
    folder = os.path.join(args.build, "layers_" + name)
    os.makedirs(args.build, exist_ok=True)
    if not path.endswith(".onnx"):
        import export
        from bench import build_model
        model, size = build_model(name)
        path = os.path.join(args.build, name + ".onnx")
        export.export(model, size, path, "torchscript")
    program, about = emit(args, path, folder)
    steps = collections.defaultdict(list)
    told = subprocess.run([program, str(args.runs)], check=True, capture_output=True, text=True).stdout
    for line in told.splitlines():
        step, ns = line.split()
        steps[int(step)].append(int(ns) / 1e6)
    median = {s: statistics.median(t) for s, t in steps.items()}
    whole = sum(median.values())
    kinds = collections.Counter()
    print(f"{'step':>4} {'ms':>9} {'share':>6}  what")
    for s, ms in sorted(median.items()):
        what = about.get(s, "?")
        kinds[what.split()[0]] += ms
        print(f"{s:4} {ms:9.4f} {100 * ms / whole:5.1f}%  {what}")
    print(f"\n{'':4} {'ms':>9} {'share':>6}  kind")
    for kind, ms in kinds.most_common():
        print(f"{'':4} {ms:9.3f} {100 * ms / whole:5.1f}%  {kind}")
    print(f"{'':4} {whole:9.3f}         all {len(median)} steps, sum of medians of {args.runs}")


if __name__ == "__main__":
    main()
