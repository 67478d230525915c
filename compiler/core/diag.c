/* diag.c - the list of everything that is wrong, printed at once. */
#include "core/core.h"

void diag_v(struct ctx *c, enum severity s, const char *stage, const char *where,
	    const char *fmt, va_list ap)
{
	const char *text = str_vprintf(c, fmt, ap);
	if (s == SEV_ERROR)
		c->n_errors++;
	struct diag *d = vec_push(c, c->diags);
	d->severity = s;
	d->file = c->file;
	d->where = where ? str_dup(c, where) : NULL;
	d->stage = stage;
	d->text = text;
}

void diag(struct ctx *c, enum severity s, const char *stage, const char *where,
	  const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(c, s, stage, where, fmt, ap);
	va_end(ap);
}

void diag_print(const struct ctx *c, FILE *f)
{
	static const char *const prefix[] = { "note: ", "warning: ", "" };
	for (int i = 0; i < vec_len(c->diags); i++) {
		const struct diag *d = &c->diags[i];
		if (d->severity == SEV_NOTE && !c->verbose)
			continue;
		fprintf(f, "%s: ", d->file ? d->file : "ampoule");
		if (d->where)
			fprintf(f, "%s: ", d->where);
		fprintf(f, "%s%s", prefix[d->severity], d->text);
		if (d->stage)
			fprintf(f, " [%s]", d->stage);
		fputc('\n', f);
	}
}
