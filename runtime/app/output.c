/*
 * output.c - answers as lines of text, as JSON, or as CSV.
 *
 * In:  one answer a picture.  Out: one line a picture.
 *	text	cell.png: lymphocyte 0.993  monocyte 0.004
 *	JSON	one array, one object a line
 *	CSV	a header, then: file, answer, the largest classes and their probabilities, note, error
 * Numbers always have a point: nothing here or elsewhere in the program calls setlocale().
 */
#include "app.h"

#include <string.h>

/* A name from a file or a model may hold anything: bytes that are not UTF-8 become U+FFFD. */
static size_t utf8_length(const unsigned char *s)
{
	const size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
			 s[0] < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

static void json_string(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	fputc('"', f);
	while (*s) {
		const size_t n = utf8_length(s);
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(f, "\\u%04x", *s);
		else if (n)
			fwrite(s, 1, n, f);
		else
			fputs("\\ufffd", f);
		s += n ? n : 1;
	}
	fputc('"', f);
}

/* RFC 4180: quoted where it must be. */
static void csv_field(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

/* Text goes to a terminal: control characters of a file's name must not reach it. */
static void plain(FILE *f, const char *s)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, f);
}

static const char *label(const struct app_output *o, int i, char room[16])
{
	if (o->labels && i < o->n_classes && o->labels[i])
		return o->labels[i];
	snprintf(room, 16, "%d", i);
	return room;
}

/* 9 significant digits bring a float32 back exactly; whole numbers are printed whole. */
static void number(FILE *f, double v, int is_float)
{
	fprintf(f, is_float ? "%.9g" : "%.0f", v);
}

static int shown(const struct app_output *o, const struct app_answer *a)
{
	return o->top < a->n ? o->top : a->n;
}

static int is_uncertain(const struct app_output *o, const struct app_answer *a)
{
	return o->min_probability >= 0 && a->n > 0 && !(a->values[a->order[0]] >= o->min_probability);
}

static void text_row(struct app_output *o, const struct app_answer *a)
{
	char room[16];
	plain(o->f, a->name);
	fputc(':', o->f);
	if (a->error) {
		fputs(" error: ", o->f);
		plain(o->f, a->error);
	} else if (o->raw) {
		for (int i = 0; i < a->n; i++) {
			fputc(' ', o->f);
			number(o->f, a->values[i], a->is_float);
		}
	} else {
		if (is_uncertain(o, a))
			fputs(" uncertain ", o->f);
		for (int i = 0; i < shown(o, a); i++) {
			fputs(i ? "  " : " ", o->f);
			plain(o->f, label(o, a->order[i], room));
			fprintf(o->f, " %.3f", a->values[a->order[i]]);
		}
	}
	if (a->note)
		fprintf(o->f, "  (%s)", a->note);
	fputc('\n', o->f);
}

static void json_row(struct app_output *o, const struct app_answer *a)
{
	char room[16];
	fputs(o->rows ? ",\n" : "\n", o->f);
	fputs("{\"file\": ", o->f);
	json_string(o->f, a->name);
	if (a->error) {
		fputs(", \"error\": ", o->f);
		json_string(o->f, a->error);
	} else if (o->raw) {
		fputs(", \"outputs\": [", o->f);
		for (int i = 0; i < a->n; i++) {
			fputs(i ? ", " : "", o->f);
			number(o->f, a->values[i], a->is_float);
		}
		fputc(']', o->f);
	} else {
		fputs(", \"answer\": ", o->f);
		if (a->n > 0)
			json_string(o->f, is_uncertain(o, a) ? "uncertain" : label(o, a->order[0], room));
		else
			fputs("null", o->f);
		fputs(", \"classes\": [", o->f);
		for (int i = 0; i < shown(o, a); i++) {
			fprintf(o->f, "%s{\"index\": %d, \"label\": ", i ? ", " : "", a->order[i]);
			json_string(o->f, label(o, a->order[i], room));
			fputs(", \"probability\": ", o->f);
			number(o->f, a->values[a->order[i]], 1);
			fputc('}', o->f);
		}
		fputc(']', o->f);
	}
	if (a->note) {
		fputs(", \"note\": ", o->f);
		json_string(o->f, a->note);
	}
	fputc('}', o->f);
}

static void csv_row(struct app_output *o, const struct app_answer *a)
{
	char room[16];
	csv_field(o->f, a->name);
	if (o->raw) {
		for (int i = 0; i < o->n_classes; i++) {
			fputc(',', o->f);
			if (!a->error)
				number(o->f, a->values[i], a->is_float);
		}
	} else {
		fputc(',', o->f);
		if (!a->error && a->n > 0)
			csv_field(o->f, is_uncertain(o, a) ? "uncertain" : label(o, a->order[0], room));
		for (int i = 0; i < o->top; i++) {
			fputc(',', o->f);
			if (!a->error)
				csv_field(o->f, label(o, a->order[i], room));
			fputc(',', o->f);
			if (!a->error)
				number(o->f, a->values[a->order[i]], 1);
		}
	}
	fputc(',', o->f);
	csv_field(o->f, a->note ? a->note : "");
	fputc(',', o->f);
	csv_field(o->f, a->error ? a->error : "");
	fputc('\n', o->f);
}

void app_output_begin(struct app_output *o)
{
	char room[16];
	o->rows = 0;
	if (o->top > o->n_classes)
		o->top = o->n_classes;
	if (o->format == APP_JSON)
		fputc('[', o->f);
	if (o->format != APP_CSV)
		return;
	fputs(o->raw ? "file" : "file,answer", o->f);
	for (int i = 0; o->raw && i < o->n_classes; i++) {
		fputc(',', o->f);
		csv_field(o->f, label(o, i, room));
	}
	for (int i = 1; !o->raw && i <= o->top; i++)
		fprintf(o->f, ",class_%d,probability_%d", i, i);
	fputs(",note,error\n", o->f);
}

void app_output_row(struct app_output *o, const struct app_answer *a)
{
	(o->format == APP_JSON ? json_row : o->format == APP_CSV ? csv_row : text_row)(o, a);
	o->rows++;
	fflush(o->f);
}

void app_output_end(struct app_output *o)
{
	if (o->format == APP_JSON)
		fputs(o->rows ? "\n]\n" : "]\n", o->f);
	fflush(o->f);
}
