# app.mk - how the classifier's own sources and the picture decoders are compiled.
#
# Set before including (the defaults suit an emitted folder):
#	APP          folder of these sources            (app)
#	THIRD_PARTY  folder of the decoders' sources    (third_party)
#	APP_INCLUDE  folder of ampoule_rt.h             (.)
#	O            folder for objects                 (obj)
#	DECODERS     1: PNG, JPEG, TIFF too; 0: BMP, PNM, .npy only (1 if THIRD_PARTY is there)
# Gives:
#	APP_OBJ      objects to link with the model's   (a program is model + APP_OBJ + APP_LIBS)
#	APP_LIBS     libraries
APP         ?= app
THIRD_PARTY ?= third_party
APP_INCLUDE ?= .
O           ?= obj
DECODERS    ?= $(if $(wildcard $(THIRD_PARTY)/libpng/png.h),1,0)

APP_SRC := classes decode_bmp decode_pnm main npy options os os_posix os_windows output picture preprocess profile resize sha256
# libtiff computes default transfer curves, which nothing here asks for, with pow()
APP_LIBS := $(if $(filter 1,$(DECODERS)),-lm)
APP_WARN := -Wall -Wextra -Werror
# A product feeds an addition nowhere that matters; the flag says so to those who look.
APP_FLAGS = -std=c11 $(APP_WARN) -ffp-contract=off -I$(APP) -I$(APP_INCLUDE)
TP_OBJ :=

ifeq ($(DECODERS),1)
APP_SRC += decode_png decode_jpeg decode_tiff
TP := $(THIRD_PARTY)
TP_INCLUDE := -I$(TP)/config -I$(TP)/zlib -I$(TP)/libpng -I$(TP)/libjpeg -I$(TP)/libtiff
APP_FLAGS += -DAPP_DECODERS $(TP_INCLUDE)
# Upstream's code, its warnings its own: -w.  No environment variable changes what it does (NO_GETENV),
# no SIMD, zlib's table of CRCs made at start instead of 600 kB of source.
TP_FLAGS := -std=c11 -w -D_GNU_SOURCE -DNO_GETENV -DDYNAMIC_CRC_TABLE $(TP_INCLUDE) \
	-DPNG_ARM_NEON_OPT=0 -DPNG_INTEL_SSE_OPT=0 -DPNG_POWERPC_VSX_OPT=0 -DPNG_MIPS_MSA_OPT=0 \
	-DPNG_MIPS_MMI_OPT=0 -DPNG_LOONGARCH_LSX_OPT=0 -DPNG_RISCV_RVV_OPT=0
# libtiff is the largest and no part of it is hot: -O1 builds it faster
$(O)/third_party/libtiff/%.o: TP_FLAGS += -O1
TP_SRC := $(filter-out %/jdcol565.c %/jdcolext.c %/jstdhuff.c, \
	$(foreach d,config zlib libpng libjpeg libtiff,$(wildcard $(TP)/$(d)/*.c)))
TP_OBJ := $(TP_SRC:$(TP)/%.c=$(O)/third_party/%.o)
endif

APP_OBJ := $(APP_SRC:%=$(O)/app/%.o) $(TP_OBJ)

$(O)/app/%.o: $(APP)/%.c $(APP)/app.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(APP_FLAGS) -c $< -o $@

$(O)/third_party/%.o: $(THIRD_PARTY)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(TP_FLAGS) -c $< -o $@
