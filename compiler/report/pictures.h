/*
 * pictures.h - a compiled model as pictures (SVG without scripts, for page.c): the network, its memory, its errors.
 */
#ifndef AMP_PICTURES_H
#define AMP_PICTURES_H

#include "report/report.h"

/* Text for HTML and SVG: & < > " escaped. */
void text_html(struct text *t, const char *s);

/*
 * One row a step in the order of execution: where its inputs come from (arcs at the left), operator, name, result,
 * multiply-accumulates as a bar, the largest error as a number (errors NULL: none).
 */
void picture_network(struct text *t, const struct compiled *k, const struct layer_error *errors);
/* Steps to the right, the arena's bytes upwards: a rectangle for each value while it lives, and scratch. */
void picture_memory(struct text *t, const struct compiled *k);
/* Layers to the right, errors relative to the layer's largest value upwards, on a logarithmic scale. */
void picture_errors(struct text *t, const struct compiled *k, const struct layer_error *errors);

#endif
