/* Operations whose series have a way of their own, and what such a way may ask of the
 * walk (series.c). */
#ifndef TRANSFORM_SERIES_RULES_H
#define TRANSFORM_SERIES_RULES_H

#include "op/op.h"

struct series;

/* ---- of the walk ---- */
/* Coefficient k of a value, which the walk has reached; 0: absent, a zero. */
value series_at(const struct series *s, value v, int k);
/* k times that, as the coefficients of derivatives have it. */
value series_scaled(const struct series *s, value v, int k);
bool series_is_constant(const struct series *s, value v);
wg_graph *series_graph(const struct series *s);

/* ---- for the walk ---- */
/* Whether the instruction of r has a rule here. *reads: a value appended for it, whose coefficients
 * up to the one asked for the rule reads; 0: none. */
bool series_has_rule(const struct series *s, const struct rule *r, value *reads);
/* Coefficient k > 0 of r's result by its rule. */
value series_by_rule(const struct series *s, const struct rule *r, value reads, int k);

#endif
