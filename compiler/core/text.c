/* text.c - strings in the arena, growing texts, a map from strings in order of insertion. */
#include "core/core.h"

#include <string.h>

char *str_dup_n(struct ctx *c, const char *s, size_t n)
{
	char *p = mem_alloc(c, n + 1);
	if (n)
		memcpy(p, s, n);
	return p;
}

char *str_dup(struct ctx *c, const char *s)
{
	return str_dup_n(c, s, strlen(s));
}

char *str_vprintf(struct ctx *c, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	char *p = mem_alloc(c, n > 0 ? (size_t)n + 1 : 1);
	if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *str_printf(struct ctx *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = str_vprintf(c, fmt, ap);
	va_end(ap);
	return p;
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	const size_t n = strlen(s), k = strlen(suffix);
	return n >= k && memcmp(s + n - k, suffix, k) == 0;
}

static void text_room(struct text *t, size_t more)
{
	if (t->n + more + 1 <= t->room)
		return;
	const size_t room = (t->n + more + 1) * 2 + 64;
	char *s = mem_alloc(t->c, room);
	if (t->n)
		memcpy(s, t->s, t->n);
	t->s = s;
	t->room = room;
}

void text_add(struct text *t, const char *s, size_t n)
{
	text_room(t, n);
	if (n)
		memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		text_room(t, (size_t)n);
		vsnprintf(t->s + t->n, (size_t)n + 1, fmt, again);
		t->n += (size_t)n;
	}
	va_end(again);
}

/* Bytes below 0x20, quotes and backslashes are escaped; others pass as they are (UTF-8). */
void text_json(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	for (; *s; s++) {
		const unsigned char ch = (unsigned char)*s;
		if (ch == '"' || ch == '\\')
			text_printf(t, "\\%c", ch);
		else if (ch == '\n')
			text_add(t, "\\n", 2);
		else if (ch == '\t')
			text_add(t, "\\t", 2);
		else if (ch < 0x20 || ch == 0x7f)
			text_printf(t, "\\u%04x", ch);
		else
			text_add(t, s, 1);
	}
	text_add(t, "\"", 1);
}

/* Octal escapes have three digits, so that a following digit stays apart; '?' hides trigraphs. */
void text_c_string(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	for (; *s; s++) {
		const unsigned char ch = (unsigned char)*s;
		if (ch == '"' || ch == '\\' || ch == '?')
			text_printf(t, "\\%c", ch);
		else if (ch < 0x20 || ch >= 0x7f)
			text_printf(t, "\\%03o", ch);
		else
			text_add(t, s, 1);
	}
	text_add(t, "\"", 1);
}

static uint32_t hash(const char *s)	/* FNV-1a */
{
	uint32_t h = 2166136261u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static int map_slot(const struct map *m, const char *key)
{
	uint32_t i = hash(key) & (uint32_t)(m->n_slots - 1);
	while (m->slots[i] && strcmp(m->entries[m->slots[i] - 1].key, key) != 0)
		i = (i + 1) & (uint32_t)(m->n_slots - 1);
	return (int)i;
}

void *map_get(const struct map *m, const char *key)
{
	if (!m->n_slots)
		return NULL;
	const int s = m->slots[map_slot(m, key)];
	return s ? m->entries[s - 1].value : NULL;
}

void map_put(struct ctx *c, struct map *m, const char *key, void *value)
{
	if (vec_len(m->entries) * 2 >= m->n_slots) {
		m->n_slots = m->n_slots ? m->n_slots * 2 : 16;
		m->slots = NEW_ARRAY(c, m->n_slots, int);
		for (int i = 0; i < vec_len(m->entries); i++)
			m->slots[map_slot(m, m->entries[i].key)] = i + 1;
	}
	const int s = map_slot(m, key);
	if (m->slots[s]) {
		m->entries[m->slots[s] - 1].value = value;
		return;
	}
	struct map_entry *e = vec_push(c, m->entries);
	e->key = key;
	e->value = value;
	m->slots[s] = vec_len(m->entries);
}
