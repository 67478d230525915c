# Ampoule. `make demo` shows the main job, `make check` passes the tests; `make help` lists the rest.
# Sources, operators, kernels, passes and tests are found by their place: nothing is listed here.

BUILD  ?= build
PREFIX ?= /usr/local
# gcc unless the user says otherwise (make's own default, cc, is the same on Debian)
ifeq ($(origin CC),default)
CC := gcc
endif
OPT    ?= -O2
# the kernels inside the compiler, by which it evaluates models
KOPT   ?= -O3
WARN   := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow=local -Wvla
ifneq ($(findstring clang,$(shell $(CC) --version 2>/dev/null | head -1)),)
WARN   := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla
endif
# -ffp-contract=off: the numeric contract never depends on it (docs/numerics.md rule 8), but says so.
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE $(OPT) -g $(WARN) -ffp-contract=off -fno-math-errno -Iinclude -Icompiler -Iruntime -I$(BUILD)/gen $(SAN) $(CFLAGS)
# static, so that an installed ampoule is one file
LDLIBS_ALL = -l:libprotobuf-c.a -lm

COMPILER_SRC := $(filter-out compiler/main.c,$(wildcard compiler/*.c compiler/*/*.c))
OBJ  = $(COMPILER_SRC:%.c=$(BUILD)/%.o)
UNIT := $(patsubst tests/%.c,%,$(wildcard tests/unit/*.c tests/kernels/*.c))

.DEFAULT_GOAL := all
all: $(BUILD)/ampoule

include tools/build.mk
