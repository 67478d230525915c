/* npy.h - .npy tensors (NumPy's format, versions 1 to 3) in and out of the compiler. */
#ifndef AMP_NPY_H
#define AMP_NPY_H

#include "ir/ir.h"

/* Little-endian, C order or Fortran order (converted).  NULL and a diagnostic when it is something else. */
struct tensor *npy_read(struct ctx *c, const char *path);
/* False and a diagnostic when it cannot be written.  bfloat16 is written as uint16. */
bool npy_write(struct ctx *c, const char *path, const struct tensor *t);

#endif
