/* llvm.c - LLVM's C API behind llvm.h; without -DWITH_LLVM every answer is "not linked". */
#include "target/llvm.h"

#ifdef WITH_LLVM
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm/Config/llvm-config.h>

const char *llvm_version(struct ctx *c)
{
	(void)c;
	return LLVM_VERSION_STRING;
}

static void start(void)
{
	static bool done;
	if (!done) {
		LLVMInitializeAllTargetInfos();
		LLVMInitializeAllTargets();
		LLVMInitializeAllTargetMCs();
		done = true;
	}
}

/* A text of LLVM's, as the arena's. */
static const char *take(struct ctx *c, char *s)
{
	const char *copy = str_dup(c, s ? s : "");
	LLVMDisposeMessage(s);
	return copy;
}

bool llvm_layout(struct ctx *c, const char *triple, struct llvm_layout *l, const char **why)
{
	LLVMTargetRef target = NULL;
	char *error = NULL;
	start();
	l->triple = take(c, LLVMNormalizeTargetTriple(triple));
	if (LLVMGetTargetFromTriple(l->triple, &target, &error)) {
		*why = take(c, error);
		return false;
	}
	LLVMTargetMachineRef m = LLVMCreateTargetMachine(target, l->triple, "", "", LLVMCodeGenLevelDefault,
							 LLVMRelocDefault, LLVMCodeModelDefault);
	if (!m) {
		*why = "LLVM makes no code for it";
		return false;
	}
	LLVMTargetDataRef d = LLVMCreateTargetDataLayout(m);
	l->layout = take(c, LLVMCopyStringRepOfTargetData(d));
	l->big_endian = LLVMByteOrder(d) == LLVMBigEndian;
	l->bits = (int)LLVMPointerSize(d) * 8;
	LLVMDisposeTargetData(d);
	LLVMDisposeTargetMachine(m);
	return true;
}

bool llvm_host(struct ctx *c, const char **triple, const char **cpu, const char **features)
{
	*triple = take(c, LLVMGetDefaultTargetTriple());
	*cpu = take(c, LLVMGetHostCPUName());
	*features = take(c, LLVMGetHostCPUFeatures());
	return true;
}
#else
const char *llvm_version(struct ctx *c)
{
	(void)c;
	return NULL;
}

bool llvm_layout(struct ctx *c, const char *triple, struct llvm_layout *l, const char **why)
{
	(void)c, (void)triple, (void)l;
	*why = "this ampoule is not linked with LLVM (make WITH_LLVM=1 links it)";
	return false;
}

bool llvm_host(struct ctx *c, const char **triple, const char **cpu, const char **features)
{
	(void)c, (void)triple, (void)cpu, (void)features;
	return false;
}
#endif
