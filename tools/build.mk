# Rules behind the Makefile: what is generated, how objects are made, how tests are found and run.

GEN := $(BUILD)/gen
KERNELS := $(basename $(notdir $(wildcard runtime/kernels/*.inc)))
KERNELS := $(filter-out $(basename $(notdir $(shell grep -L '^ \* kernel ' runtime/kernels/*.inc 2>/dev/null))),$(KERNELS))
ARCH := $(shell uname -m)
# The generic kernels are built twice on x86-64: plain, and for CPUs with FMA (the bits are the same).
KVARIANTS := base $(if $(filter x86_64,$(ARCH)),fma)
KFLAGS_base :=
KFLAGS_fma := -mavx2 -mfma -mf16c
# For tests: kernels that have vector forms, with the header of each instruction set.
TEST_KERNELS := gemm attention meanmax conv_c16 strassen winograd_c16 stem_c16 dwconv_c16 pwdw_c16 pool_c16 norm norm_c16 softmax
TEST_VARIANTS := $(if $(filter x86_64,$(ARCH)),sse2 avx2 avx512)
KFLAGS_sse2 := -DAMP_ISA_SSE2
KFLAGS_avx2 := -DAMP_ISA_AVX2 -mavx2 -mfma -mf16c
KFLAGS_avx512 := -DAMP_ISA_AVX512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mavx2 -mfma -mf16c
KTEST_OBJ := $(foreach v,$(TEST_VARIANTS),$(TEST_KERNELS:%=$(BUILD)/kernels/%_$(v).o)) $(BUILD)/gen/kernel_list_test.o
KOBJ := $(foreach v,$(KVARIANTS),$(KERNELS:%=$(BUILD)/kernels/%_$(v).o))
GENHDRS := $(GEN)/onnx.pb-c.h

OBJ += $(BUILD)/gen/op_table.o $(BUILD)/gen/kernel_list.o $(BUILD)/gen/onnx.pb-c.o $(BUILD)/gen/runtime_text.o $(KOBJ)

# ---- generated sources

# the runtime's text inside the compiler: `ampoule` is one file
RTEXT := include/ampoule_rt.h $(sort $(wildcard compiler/target/*.target) $(shell find runtime third_party -type f 2>/dev/null))

# the names of all sources: what is made of lists of files is made again when a file has gone, too
$(GEN)/sources.txt: FORCE
	@mkdir -p $(@D)
	@echo $(COMPILER_SRC) $(KERNELS) $(RTEXT) | tr ' ' '\n' > $@.tmp
	@cmp -s $@.tmp $@ && rm -f $@.tmp || mv $@.tmp $@
FORCE:

$(GEN)/op_table.c: $(wildcard compiler/ops/*.c) tools/build.mk $(GEN)/sources.txt
	@mkdir -p $(@D)
	@{ echo '#include "ops/op.h"'; \
	grep -h '^const struct op op_' compiler/ops/*.c | sed 's/^const struct op \(op_[a-z0-9_]*\).*/\1/' | sort > $@.names; \
	sed 's/.*/extern const struct op &;/' $@.names; \
	echo 'const struct op *const op_table[] = {'; sed 's/.*/	\&&,/' $@.names; echo '	NULL'; echo '};'; } > $@.tmp
	@rm -f $@.names; mv $@.tmp $@

# one C file a kernel: its typed instances and their rows
$(GEN)/kernel_%.c: runtime/kernels/%.inc tools/kernel_rows.sh
	@mkdir -p $(@D)
	@sh tools/kernel_rows.sh $* $< > $@.tmp && mv $@.tmp $@

$(GEN)/kernel_list.c: $(KERNELS:%=runtime/kernels/%.inc) tools/build.mk $(GEN)/sources.txt
	@mkdir -p $(@D)
	@{ echo '#include "ir/schedule.h"'; echo '#include "eval/kernel_list.h"'; \
	for v in $(KVARIANTS); do for k in $(KERNELS); do echo "extern const struct kernel kernels_$${k}_$$v[];"; done; \
	echo "const struct kernel *const kernel_list_$$v[] = {"; for k in $(KERNELS); do echo "	kernels_$${k}_$$v,"; done; \
	echo '	NULL'; echo '};'; done; } > $@.tmp && mv $@.tmp $@

$(GEN)/kernel_list_test.c: tools/build.mk
	@mkdir -p $(@D)
	@{ echo '#include "ir/schedule.h"'; \
	for v in $(TEST_VARIANTS); do for k in $(TEST_KERNELS); do echo "extern const struct kernel kernels_$${k}_$$v[];"; done; \
	echo "static const struct kernel *const $$v[] = {"; for k in $(TEST_KERNELS); do echo "	kernels_$${k}_$$v,"; done; \
	echo '	NULL'; echo '};'; done; \
	echo 'const struct { const char *isa; const struct kernel *const *list; } kernel_test_lists[] = {'; \
	for v in $(TEST_VARIANTS); do echo "	{ \"$$v\", $$v },"; done; echo '	{ NULL, NULL }'; echo '};'; } > $@.tmp && mv $@.tmp $@

$(GEN)/onnx.pb-c.c $(GEN)/onnx.pb-c.h: compiler/import/onnx.proto
	@mkdir -p $(GEN)
	@protoc-c --proto_path=compiler/import --c_out=$(GEN) compiler/import/onnx.proto

$(GEN)/runtime_text.c: $(RTEXT) tools/embed.sh tools/build.mk $(GEN)/sources.txt
	@mkdir -p $(@D)
	@sh tools/embed.sh $(GEN)/runtime_text $(RTEXT)

# ---- LLVM, if WITH_LLVM=1: triples, data layouts and this machine's CPU from its C API (compiler/target/llvm.c)

ifeq ($(WITH_LLVM),1)
LLVM_CONFIG ?= $(firstword $(foreach c,llvm-config $(patsubst %,llvm-config-%,24 23 22 21 20 19 18 17 16 15 14), \
	$(if $(shell command -v $(c) 2>/dev/null),$(c))))
ifeq ($(LLVM_CONFIG),)
$(error WITH_LLVM=1 needs llvm-config (Debian: apt-get install llvm-dev))
endif
LLVM_CFLAGS := -DWITH_LLVM -isystem $(shell $(LLVM_CONFIG) --includedir)
LDLIBS_ALL += $(shell $(LLVM_CONFIG) --ldflags) $(shell $(LLVM_CONFIG) --libs)
endif
$(GEN)/llvm.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(LLVM_CFLAGS)' > $@.tmp
	@cmp -s $@.tmp $@ && rm -f $@.tmp || mv $@.tmp $@
$(BUILD)/compiler/target/llvm.o: $(GEN)/llvm.txt
$(BUILD)/compiler/target/llvm.o: CFLAGS_ALL += $(LLVM_CFLAGS)

# ---- objects

$(BUILD)/%.o: %.c | $(GENHDRS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@
$(BUILD)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -Wno-missing-prototypes -c $< -o $@
# the elementwise interpreter, in the same two builds (ew_run.c picks)
$(BUILD)/compiler/ir/ew_run.o: CFLAGS_ALL += $(KOPT)
$(BUILD)/compiler/ir/ew_run_fma.o: CFLAGS_ALL += $(KOPT) $(if $(filter x86_64,$(ARCH)),$(KFLAGS_fma))
define KRULE
$(BUILD)/kernels/%_$(1).o: $(GEN)/kernel_%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS_ALL) -MMD -MP $(KOPT) $$(KFLAGS_$(1)) -DKERNEL_VARIANT=$(1) -c $$< -o $$@
endef
$(foreach v,$(KVARIANTS) $(TEST_VARIANTS),$(eval $(call KRULE,$(v))))

$(BUILD)/libampoule.a: $(OBJ) $(GEN)/sources.txt
	@rm -f $@
	@ar rcs $@ $(OBJ)
# the library that is installed: one object in which only ampoule_* can be seen, with protobuf-c inside
$(BUILD)/install/libampoule.a: $(OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(CC) -r -nostdlib -o $(@D)/ampoule.o $(OBJ) -l:libprotobuf-c.a
	objcopy --wildcard --keep-global-symbol='ampoule_*' $(@D)/ampoule.o
	@ar rcs $@ $(@D)/ampoule.o
$(BUILD)/ampoule: $(BUILD)/compiler/main.o $(BUILD)/libampoule.a
	$(CC) $(SAN) -o $@ $^ $(LDLIBS_ALL)

# ---- tests

# tests/tools: what tests share, and programs that they run (make_rcmnet)
TEST_OBJ := $(BUILD)/tests/tools/onnx_writer.o
$(BUILD)/tests/kernels/%: TEST_OBJ += $(KTEST_OBJ)
$(patsubst %,$(BUILD)/tests/%,$(filter kernels/%,$(UNIT))): $(KTEST_OBJ)
$(BUILD)/tests/%: tests/%.c $(TEST_OBJ) $(BUILD)/libampoule.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -Wno-missing-prototypes -o $@ $< $(wildcard $(basename $<)/*.c) $(TEST_OBJ) $(BUILD)/libampoule.a -lcunit $(LDLIBS_ALL)

# unrolled tiles under both sanitizers take the optimiser minutes
$(BUILD)/tests/kernels/test_winograd: CFLAGS_ALL += $(if $(SAN),-O0)

$(BUILD)/tests/kernels/test_fma_avx: CFLAGS_ALL += $(if $(filter x86_64,$(ARCH)),-mavx)

test-unit/%: $(BUILD)/tests/unit/%
	$<
test-kernels/%: $(BUILD)/tests/kernels/%
	$<

.PHONY: all check-quick unit clean test-unit/% test-kernels/%
unit: $(UNIT:%=$(BUILD)/tests/%)
	@set -e; for t in $(UNIT); do echo "== $$t"; BUILD=$(BUILD) $(BUILD)/tests/$$t > $(BUILD)/tests/$$t.log 2>&1 || \
		{ cat $(BUILD)/tests/$$t.log; echo "FAILED: $$t"; exit 1; }; \
	sed -n 's/^ *not run/   &/p' $(BUILD)/tests/$$t.log; done
check-quick: all unit
clean:
	rm -rf $(BUILD)

# what each object was made from, as the compiler told
-include $(OBJ:.o=.d) $(KTEST_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(BUILD)/compiler/main.d $(UNIT:%=$(BUILD)/tests/%.d)

# ---- what people call

.PHONY: demo check deps-build deps-check install uninstall help check-includes check-san check-cli check-onnx check-models check-real bench bench-growth bench-layers bench-kernels bench-price check-targets check-bits check-product bits-record bits-models
deps-build:
	@sh tools/deps.sh build
deps-check:
	@sh tools/deps.sh check
demo: deps-build
	@$(MAKE) -s -j2 $(BUILD)/ampoule
	@sh tools/demo.sh $(BUILD)/ampoule $(BUILD)/demo/rcmnet

SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
check: deps-check
	@$(MAKE) -s -j2 all
	@$(MAKE) -s check-includes
	@$(MAKE) -s -j2 BUILD=$(BUILD)/san OPT=-O1 KOPT=-O0 SAN="$(SAN_FLAGS)" all
	@$(MAKE) -s -j2 BUILD=$(BUILD)/san OPT=-O1 KOPT=-O0 SAN="$(SAN_FLAGS)" unit
	@$(MAKE) -s BUILD=$(BUILD)/san OPT=-O1 KOPT=-O0 SAN="$(SAN_FLAGS)" CLI="$(SAN_CLI)" check-cli
	@$(MAKE) -s check-cli
	@$(MAKE) -s check-onnx
	@echo "make check: all passed"

check-includes:
	@sh tools/check-includes.sh

# tests/cli/*.sh: what a user types; those that exercise the compiler itself also with the sanitized one
SAN_CLI = tests/cli/usage.sh tests/cli/reports.sh
CLI := $(sort $(wildcard tests/cli/*.sh))
CLI_TOOLS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tools/make_*.c))
check-cli: all $(CLI_TOOLS)
	@set -e; mkdir -p $(BUILD)/tests/cli; for t in $(CLI); do echo "== $$t"; \
	AMPOULE=$(abspath $(BUILD)/ampoule) BUILD=$(abspath $(BUILD)) CC="$(CC)" sh $$t > $(BUILD)/tests/cli/$$(basename $$t).log 2>&1 || \
		{ tail -60 $(BUILD)/tests/cli/$$(basename $$t).log; echo "FAILED: $$t"; exit 1; }; \
	sed -n 's/^not run/   &/p' $(BUILD)/tests/cli/$$(basename $$t).log; done
test-cli/%: all $(CLI_TOOLS)
	AMPOULE=$(abspath $(BUILD)/ampoule) BUILD=$(abspath $(BUILD)) CC="$(CC)" sh tests/cli/$*.sh

TARGETS ?= $(sort $(basename $(notdir $(wildcard tests/targets/*.sh))))
# tests/targets/*.sh: emitted code for other machines, built by cross compilers and run by emulators; TARGETS="armv7 ..."
check-targets: all $(CLI_TOOLS)
	@sh tools/deps.sh targets
	@$(MAKE) -s -j2 $(TARGETS:%=test-target/%)
	@echo "make check-targets: $(words $(TARGETS)) targets passed"
# one alone, as tests/targets/NAME.sh; what it says is printed when it ends
test-target/%: all $(CLI_TOOLS)
	@mkdir -p $(BUILD)/tests/targets; begin=$$(date +%s); \
	AMPOULE=$(abspath $(BUILD)/ampoule) BUILD=$(abspath $(BUILD)) CC="$(CC)" sh tests/targets/$*.sh \
		> $(BUILD)/tests/targets/$*.log 2>&1 || { cat $(BUILD)/tests/targets/$*.log; echo "FAILED: target $*"; exit 1; }; \
	grep -E '^(ok|not run)' $(BUILD)/tests/targets/$*.log; echo "== $*: $$(($$(date +%s) - begin)) s"

# Whole models on all targets, hash by hash: tests/bits.  FULL=1 takes those of models/export.py, five inputs each, for
# hours; it goes on where it stopped.  TARGETS="s390x x86-64" MODELS="rcmnet_a" INPUTS=1 choose.
BITS = python3 tests/bits/check_bits.py --ampoule $(abspath $(BUILD)/ampoule) --build $(abspath $(BUILD)) \
	--targets "$(if $(filter command,$(firstword $(origin TARGETS))),$(TARGETS))" --models "$(MODELS)" \
	$(if $(INPUTS),--inputs $(INPUTS)) $(if $(FULL),--full)
BITS_EXPORTS := rcmnet_a rcmnet_b resnet18 mobilenetv2 vit_tiny
check-bits: all $(CLI_TOOLS) $(if $(FULL),bits-models)
	@sh tools/deps.sh targets
	@nice $(BITS) $(if $(FULL),,--jobs 2) --verbose --table $(BUILD)/bits/table.md
# threads x compilers x levels x contraction, for an hour; it goes on where it stopped: tests/bits/product.sh
check-product: all $(CLI_TOOLS)
	@sh tools/deps.sh check
	@AMPOULE=$(abspath $(BUILD)/ampoule) BUILD=$(abspath $(BUILD)) CC="$(CC)" nice sh tests/bits/product.sh
# after a change of the numeric plan: the hashes of run --exact, those of exported models with FULL=1
bits-record: all $(CLI_TOOLS) $(if $(FULL),bits-models)
	@nice $(BITS) --record
	@AMPOULE=$(abspath $(BUILD)/ampoule) BUILD=$(abspath $(BUILD)) CC="$(CC)" sh tests/bits/kernels.sh > tests/bits/kernels.tmp && \
		mv tests/bits/kernels.tmp tests/bits/kernels.txt
bits-models:
	@sh tools/deps.sh models
	@mkdir -p $(BUILD)/bits/models; py=$$(sh tools/venv.sh $(VENV)) && for m in $(or $(filter $(BITS_EXPORTS),$(MODELS)),$(if $(MODELS),,$(BITS_EXPORTS))); do \
		f=$(BUILD)/bits/models/$$m.onnx; test -f $$f || case $$m in \
		rcmnet_?) $$py models/export.py rcmnet --variant $${m#rcmnet_} -o $$f ;; \
		*) $$py models/export.py $$m -o $$f ;; esac || exit 1; done

# the ONNX backend tests; VECTORS= names other folders of them (a newer release's)
VECTORS ?= /usr/share/libonnx-testdata/data
$(BUILD)/run_vectors: tests/onnx/run_vectors.c $(BUILD)/libampoule.a
	$(CC) $(CFLAGS_ALL) -MMD -MP -o $@ $< $(BUILD)/libampoule.a $(LDLIBS_ALL)
check-onnx: $(BUILD)/run_vectors
	$(BUILD)/run_vectors -u tests/onnx/unsupported.txt $(VECTORS)

# what needs Python: PyTorch's exports against ONNX Runtime; real photographs, where they lie beside us.
# ONLY=name runs the cases whose name holds it; VENV=dir uses an environment that is there.
VENV ?= $(BUILD)/venv
PHOTOS ?= ../shared/wbc
ONLY ?=
check-models: all
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV)) && $$py tests/models/check_proto.py compiler/import/onnx.proto && \
	nice $$py tests/models/check_models.py --ampoule $(BUILD)/ampoule --build $(BUILD)/check-models \
		--only "$(ONLY)" --classes 200
check-real: all
	@test -f $(PHOTOS)/labels.csv || { echo "check-real: no photographs at $(PHOTOS): nothing was checked"; exit 1; }
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV)) && \
	nice $$py models/check_real.py --pictures $(PHOTOS) --build $(BUILD)/check-real --ampoule $(BUILD)/ampoule

# Ampoule raced against its peers, tests/bench: docs/benchmarks.md.  ONLY=rcmnet_a,resnet18 PEERS=onnxruntime RUNS=30
# THREADS=1,2 OURS=default,direct,default/avx2 QUICK=1 KEEP=1 (exports, for the next race); bench-layers MODEL=rcmnet_a or MODEL=file.onnx.
comma := ,
PEERS ?= onnxruntime,openvino,ncnn,torch.compile
OURS ?= default
THREADS ?= 1,2
RUNS ?= 30
MODEL ?= rcmnet_a
PEER_PINS := ncnn==1.0.20261020 pnnx==20261020 openvino==2026.4.1
bench: all
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV) $(PEER_PINS)) && \
	$$py tests/bench/bench.py --ampoule $(BUILD)/ampoule --build $(BUILD)/bench --cc "$(CC)" --only "$(ONLY)" \
		--ours "$(OURS)" --peers "$(PEERS)" --threads "$(THREADS)" --runs $(RUNS) $(if $(QUICK),--quick) $(if $(KEEP),--keep)
# Time and memory of one model over input sizes, widths and batches: MODEL=rcmnet_a.
bench-growth: all
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV)) && \
	$$py tests/bench/bench.py --ampoule $(BUILD)/ampoule --build $(BUILD)/bench --cc "$(CC)" --growth "$(MODEL)" \
		--ours "$(OURS)" --peers onnxruntime --threads 1 --runs $(RUNS) $(if $(QUICK),--quick) $(if $(KEEP),--keep)
bench-layers bench-price: all
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV)) && \
	$$py tests/bench/layers.py --ampoule $(BUILD)/ampoule --build $(BUILD)/bench --cc "$(CC)" --model "$(MODEL)" \
		--threads "$(firstword $(filter-out 1$(comma)2,$(THREADS)) 1)" --runs $(RUNS) $(if $(ISA),--isa $(ISA)) \
		$(if $(filter bench-price,$@),--price)
# Each kernel alone against the peers: ONLY=conv3x3_64_56,softmax_3_197_197 PEERS= THREADS=1 RUNS=30.
bench-kernels: all
	@sh tools/deps.sh models
	@py=$$(sh tools/venv.sh $(VENV) $(PEER_PINS)) && \
	$$py tests/bench/kernels.py --ampoule $(BUILD)/ampoule --build $(BUILD)/bench --cc "$(CC)" --only "$(ONLY)" \
		--peers "$(PEERS)" --threads "$(firstword $(filter-out 1$(comma)2,$(THREADS)) 1)" --runs $(RUNS)

INSTALLED = bin/ampoule lib/libampoule.a include/ampoule.h share/man/man1/ampoule.1 \
	share/bash-completion/completions/ampoule
install: all $(BUILD)/install/libampoule.a
	install -D -m 755 $(BUILD)/ampoule $(DESTDIR)$(PREFIX)/bin/ampoule
	install -D -m 644 $(BUILD)/install/libampoule.a $(DESTDIR)$(PREFIX)/lib/libampoule.a
	install -D -m 644 include/ampoule.h $(DESTDIR)$(PREFIX)/include/ampoule.h
	install -D -m 644 docs/ampoule.1 $(DESTDIR)$(PREFIX)/share/man/man1/ampoule.1
	install -D -m 644 tools/ampoule.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ampoule
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)
help:
	@echo "make demo      build the compiler, compile the small RCMNet, classify the sample pictures"
	@echo "make check     build and pass all tests (Debian packages only)"
	@echo "make           build $(BUILD)/ampoule        make install PREFIX=/usr/local"
	@echo "make test-unit/NAME  test-kernels/NAME  test-cli/NAME    one test alone"
	@echo "make check-models    exports, ONNX Runtime and PyTorch comparisons (sets up a Python environment)"
	@echo "make check-real      transfer to real photographs at $(PHOTOS), if they are there"
	@echo "make check-targets   code for other machines, under emulators (cross compilers, qemu-user, Wine)"
	@echo "make check-bits      models on all targets, hash by hash (FULL=1: for hours);  make check-product: compilers x flags x threads"
	@echo "make bench     Ampoule and its peers raced (ONLY=, PEERS=, THREADS=, QUICK=1; docs/benchmarks.md)"
	@echo "make bench-growth MODEL=rcmnet_a    time and memory against input size, width and batch"
	@echo "make bench-layers MODEL=rcmnet_a    time of each step;  make bench-price: what the numeric contract costs"
	@echo "make bench-kernels   each kernel alone, on layers of known networks, against the peers (ONLY=, PEERS=)"
	@echo "make clean     BUILD=dir builds elsewhere; CC=clang, OPT=-O3, CFLAGS=... as usual"
