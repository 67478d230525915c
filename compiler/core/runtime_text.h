/* runtime_text.h - the runtime's source files, embedded in the compiler (tools/embed.sh). */
#ifndef AMP_RUNTIME_TEXT_H
#define AMP_RUNTIME_TEXT_H

struct runtime_file { const char *path, *begin, *end; };	/* path as in the project: runtime/simd/... */
extern const struct runtime_file runtime_files[];		/* ends with path NULL */

#endif
