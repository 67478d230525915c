/* config.h - labels and preprocessing from Hugging Face's JSON files, or labels from a text file. */
#ifndef AMP_CONFIG_H
#define AMP_CONFIG_H

#include "ampoule_rt.h"
#include "core/core.h"

/*
 * Labels: config.json (id2label; problem_type gives *activation when it says one) or a text file, one a line.
 * NULL and a diagnostic when it is neither.  *activation_given tells whether problem_type was there.
 */
const char *const *config_labels(struct ctx *c, const char *path, int *n,
				 enum amp_activation *activation, bool *activation_given);

/* preprocessor_config.json; NULL and a diagnostic when a step in it is not supported. */
const struct amp_preprocess *config_preprocess(struct ctx *c, const char *path);

#endif
