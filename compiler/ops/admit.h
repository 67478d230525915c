/* admit.h - rule 18: the error of a form of an algorithm in units of the direct form's. */
#ifndef AMP_OPS_ADMIT_H
#define AMP_OPS_ADMIT_H

#include <math.h>
#include <stdint.h>

#define ADMIT_AT_MOST 8

/* Largest distance of n sums from the truth; NaN where one is NaN. */
static inline double admit_distance(const float *y, const double *want, int64_t n)
{
	double most = 0;
	for (int64_t i = 0; i < n; i++) {
		const double d = fabs((double)y[i] - want[i]);
		if (most == most && !(d <= most))
			most = d;
	}
	return most;
}

/* Of two such distances; a quotient of doubles, correctly rounded: the same on every host. */
static inline double admit_ratio(double form, double direct)
{
	return form == 0 ? 0 : form / direct;
}

#endif
