/* point_vectors.h: vectors of points as a ceremony needs them, for callers inside the core.
 *
 * Points are affine Montgomery of the group's prime order, (0, 0) for infinity; scalars Montgomery and
 * reduced. All functions return a status (ZKR_OK or ZKR_NOMEM). Indices were checked by the caller. */
#ifndef ZKR_POINT_VECTORS_H
#define ZKR_POINT_VECTORS_H

#include "curve.h"
#include "engine.h"

/* What points are multiplied by: scalars[step * i] when they are given (step 0 or 1), else
 * first * ratio^i, which is wiped wherever it was. */
typedef struct {
    const zkr_fe *scalars;
    size_t step;
    const zkr_fe *first, *ratio;
    bool secret;
} zkr_multipliers;

/* out[i] = multiplier i times points[i]; in place allowed */
int zkr_scale_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *points, const zkr_multipliers *by, size_t n);
int zkr_scale_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *points, const zkr_multipliers *by, size_t n);

/* in place: x[i] = (1/n) sum_j w^(-ij) x[j], n = 2^log_n */
int zkr_intt_points_g1(const zkr_engine *engine, zkr_g1 *x, unsigned log_n);
int zkr_intt_points_g2(const zkr_engine *engine, zkr_g2 *x, unsigned log_n);

/* A matrix by columns over points; the entries of column j are indptr[j] .. indptr[j+1]-1 */
typedef struct {
    const uint32_t *indptr, *rows, *coefs;
    const zkr_fe *constants;
    size_t num_columns, num_constants;
} zkr_point_columns;

/* out[j] = sum over column j's entries e of constants[coefs[e]] points[rows[e]] */
int zkr_sparse_sums_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *points, const zkr_point_columns *m);
int zkr_sparse_sums_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *points, const zkr_point_columns *m);

#endif
