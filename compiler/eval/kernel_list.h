/* kernel_list.h - the generated lists of linked kernels, one for each build variant. */
#ifndef AMP_KERNEL_LIST_H
#define AMP_KERNEL_LIST_H

#include "ir/schedule.h"

extern const struct kernel *const kernel_list_base[];	/* ends with NULL; each list with base NULL */
#if defined(__x86_64__)
extern const struct kernel *const kernel_list_fma[];
#endif

#endif
