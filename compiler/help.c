/* help.c - the texts of `ampoule help`; the man page says the same at length (docs/ampoule.1). */
#include "help.h"

#include "passes/passes.h"

#include <string.h>

#define SHAPES \
	"  --dim NAME=N           size of a symbolic dimension, for example --dim batch=1\n" \
	"  --shape INPUT=AxBxC    shape of an input, for example --shape image=1x3x224x224\n"

static const struct text_of { const char *name, *line, *text; } texts[] = {
	{ "compile", "emit a model as standalone C",
	"usage: ampoule compile MODEL.onnx -o FOLDER [options]\n\n"
	"Writes a folder of C that any C11 compiler builds: `make -C FOLDER` makes a static classifier.\n\n"
	"  -o FOLDER              where to write; replaced only if ampoule wrote it or it is empty\n"
	"  --name NAME            a C identifier; default: the model's file name\n"
	"  --target T             a name from `ampoule targets`, native, or the path of a .target file\n"
	"  --triple T             LLVM's name of a target, for example thumbv7em-none-eabihf; needs clang\n"
	"  --emit KIND            c (default); obj, asm or ll: compiled by clang for --triple, beside the C of --library\n"
	SHAPES
	"  --labels FILE          config.json (id2label, problem_type) or a text, one label a line\n"
	"  --preprocess FILE      preprocessor_config.json: how a picture becomes the input\n"
	"  --activation A         softmax, sigmoid or none, applied by the classifier to the output\n"
	"  --weights W            embed (in the binary, default), array (as C), file (beside it)\n"
	"  --library              no classifier: just the model and its header\n"
	"  --classifier           the model and the classifier's program: the default\n"
	"  --plan P               the numeric plan (docs/numerics.md): speed (default: Winograd's and Strassen's algorithms\n"
	"                         where they pay and are exact enough), size (those that take the model's own weights),\n"
	"                         direct\n"
	"  --transform WHEN       their weights: ahead (default: the program starts at once), or at start (RCMNet: half\n"
	"                         of the size; the bits are the same)\n"
	"  --threads N            code that N threads can share, 1 to 64; default 1; the bits are the same\n"
	"  --tune FILE            values that change no bit (blocks, prefetch), as measured on this machine: reads\n"
	"                         FILE if it exists, measures what it lacks, writes it\n"
	"  --dump-after PASS      print the graph after a pass; see below\n"
	"  --verbose              print notes as well\n\n"
	"example:\n"
	"  ampoule compile rcmnet.onnx -o out --labels config.json --preprocess preprocessor_config.json\n"
	"  make -C out && out/rcmnet cell.png\n" },
	{ "inspect", "operators, parameters, MACs, RAM, flash and the plan, before anything is built",
	"usage: ampoule inspect MODEL.onnx [options]\n\n"
	SHAPES
	"  --target T, --triple T as for compile\n"
	"  --json                 for machines\n"
	"  --html FILE            a page with pictures: the network, its memory\n"
	"  --plan P               the numeric plan: speed, size or direct\n"
	"  --transform WHEN       as for compile\n"
	"  --threads N            as for compile: RAM is that of N threads\n"
	"  --dump-after PASS      print the graph after a pass, or after all\n"
	"  --verbose              print notes as well\n\n"
	"example:\n  ampoule inspect rcmnet.onnx --dim batch=1\n" },
	{ "verify", "compile for this machine, run, and compare with stored outputs and with the truth",
	"usage: ampoule verify MODEL.onnx [--data FOLDER]... [options]\n\n"
	"Builds the emitted code with the C compiler, runs it on the inputs of ONNX test-data folders\n"
	"(test_data_set_*/input_*.pb, output_*.pb) or on seeded ones, and compares with the stored outputs\n"
	"and with the evaluator in double precision.\n\n"
	"  --data FOLDER          holds input_*.pb and output_*.pb, or test_data_set_* folders that do\n"
	SHAPES
	"  --rtol R --atol A      |a - b| <= A + R |b|; default 1e-3 and 1e-5\n"
	"  --seed N               for inputs that are generated\n"
	"  --layers               the error of each layer as well (first set of inputs)\n"
	"  --html FILE            a page with pictures: error by layer, memory, the network\n"
	"  --cc COMPILER          default: gcc\n"
	"  --keep                 keep the built folder and print its name\n"
	"  --target T             as for compile; this machine must run it\n"
	"  --plan P               the numeric plan: speed, size or direct\n"
	"  --transform WHEN       as for compile\n"
	"  --threads N            run it with a pool of N threads\n"
	"  --json                 for machines\n"
	"  --verbose              print notes as well\n\n"
	"exit code: 0 within tolerance, 3 outside, 1 the model cannot be compiled\n"
	"example:\n  ampoule verify rcmnet.onnx --data test_data_set_0\n" },
	{ "run", "evaluate the model inside the compiler",
	"usage: ampoule run MODEL.onnx [options]\n\n"
	"In double precision (the truth), or with --exact the numeric plan with the generic kernels: the\n"
	"bytes that every compiled binary must give.\n\n"
	"  --input NAME=FILE      a .npy or .pb tensor; NAME= may be left out for a single input\n"
	"  --seed N               inputs that are not given are generated from N\n"
	"  --exact                contract bytes instead of double precision\n"
	"  -o FOLDER              write each output as NAME.npy\n"
	SHAPES
	"  --plan P               the numeric plan: speed, size or direct\n"
	"  --json                 for machines\n"
	"  --verbose              print notes as well\n\n"
	"example:\n  ampoule run rcmnet.onnx --exact --input cell.npy -o out\n" },
	{ "targets", "list the targets",
	"usage: ampoule targets [--probe TRIPLE]\n\n"
	"  --probe TRIPLE         a target file for one of LLVM's triples, from what clang says of it; guesses are marked\n\n"
	"A target is one short text file: `--target ./my-core.target` takes one of your own.\n"
	"Keys: name, about, note, endian little|big, bits 32|64, incbin yes|no, cc, cflags, ldflags, exe, run,\n"
	"make LINE, threads yes|no, cache KB, prefetch KB, variant NAME MACRO flags..., detect NAME FUNCTION.\n\n"
	"example:\n  ampoule compile model.onnx -o out --target generic\n"
	"  ampoule targets --probe riscv64-unknown-elf > mine.target\n" },
};
#define N_TEXTS (int)(sizeof texts / sizeof texts[0])

void help_all(FILE *f)
{
	fprintf(f, "Ampoule compiles ONNX models into standalone C.\n\nusage: ampoule COMMAND ...\n\n");
	for (int i = 0; i < N_TEXTS; i++)
		fprintf(f, "  %-9s %s\n", texts[i].name, texts[i].line);
	fprintf(f, "  %-9s this text, or that of a command: ampoule help compile\n\n"
		"exit code: 0 success, 1 the model or the input is at fault, 2 wrong usage,\n"
		"3 a comparison was out of tolerance, 4 internal error\n", "help");
}

bool help_command(const char *name, FILE *f)
{
	for (int i = 0; i < N_TEXTS; i++)
		if (strcmp(texts[i].name, name) == 0) {
			fputs(texts[i].text, f);
			if (strcmp(name, "compile") == 0) {
				fprintf(f, "\npasses, in order:\n");
				for (const struct pass *p = pass_table; p->name; p++)
					fprintf(f, "  %-12s %s\n", p->name, p->what);
			}
			return true;
		}
	return false;
}
