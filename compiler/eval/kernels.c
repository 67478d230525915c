/* kernels.c - finds kernel instances; picks the build of them that this CPU runs (the bits are equal). */
#include "eval/kernel_list.h"

#include <string.h>

static const struct kernel *const *list(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return kernel_list_fma;
#endif
	return kernel_list_base;
}

const struct kernel *kernel_find(const char *base, const char *type)
{
	for (const struct kernel *const *l = list(); *l; l++) {
		if (!(*l)->base || strcmp((*l)->base, base) != 0)
			continue;
		for (const struct kernel *k = *l; k->base; k++)
			if (strcmp(k->type, type) == 0)
				return k;
	}
	return NULL;
}
