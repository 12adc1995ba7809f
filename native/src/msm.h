/* msm.h: sums of scalar multiples, for callers inside the core.
 *
 * Scalars are Montgomery Fr and must be reduced; points affine Montgomery, on the curve, (0, 0) for
 * infinity. n < 2^31. All functions return a status (ZKR_OK, ZKR_NOMEM, ZKR_BADARGS for n). */
#ifndef ZKR_MSM_H
#define ZKR_MSM_H

#include "curve.h"
#include "engine.h"

/* The sum of scalar i times its base over all i >= first whose bit is set in `taken` (NULL: over all).
 * The base stands at i - first or, when `rank` is not NULL, at the number of bits set before bit i; rank
 * holds that number for the first bit of each word. Bases may lie at any address. */
typedef struct {
    unsigned coordinates; /* 2 for G1, 4 for G2 */
    const void *bases;
    size_t first;
    const uint64_t *taken;
    const uint32_t *rank;
    size_t n, count; /* scalars, and how many are taken; count is the caller's to fill when taken is not NULL */
    union {
        zkr_g1 g1;
        zkr_g2 g2;
    } out;
} zkr_msm_sum;

/* Several sums over the same scalars, which share digits and sorting. */
typedef struct {
    const zkr_fe *scalars;
    size_t n;
    zkr_msm_sum *sums;
    unsigned num_sums;
} zkr_msm_batch;

/* Fills every sum's `out`. Batches may run side by side, inside a loop over engine->threads. */
int zkr_msm_run(const zkr_engine *engine, zkr_msm_batch *batch);

/* *out = sum_i scalars[i] bases[i] */
int zkr_msm_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *bases, const zkr_fe *scalars, size_t n);
int zkr_msm_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *bases, const zkr_fe *scalars, size_t n);

/* out[i] = scalars[i] base */
int zkr_fixed_base_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *base, const zkr_fe *scalars, size_t n);
int zkr_fixed_base_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *base, const zkr_fe *scalars, size_t n);

/* The same with a table that serves many calls. */
typedef struct {
    unsigned c, windows;
    zkr_fe bias;
    zkr_g1 *points; /* [window][d - 1]: d 2^(c window) base, and infinity at the end */
} zkr_fixed_g1;

typedef struct {
    unsigned c, windows;
    zkr_fe bias;
    zkr_g2 *points;
} zkr_fixed_g2;

/* A table for about n multiples in all; ZKR_NOMEM leaves nothing behind. */
int zkr_fixed_new_g1(const zkr_engine *engine, zkr_fixed_g1 *table, const zkr_g1 *base, size_t n);
int zkr_fixed_new_g2(const zkr_engine *engine, zkr_fixed_g2 *table, const zkr_g2 *base, size_t n);
void zkr_fixed_free_g1(zkr_fixed_g1 *table);
void zkr_fixed_free_g2(zkr_fixed_g2 *table);
int zkr_fixed_many_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_fixed_g1 *table, const zkr_fe *scalars,
                      size_t n);
int zkr_fixed_many_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_fixed_g2 *table, const zkr_fe *scalars,
                      size_t n);

#endif
