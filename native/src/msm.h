/* msm.h: sums of scalar multiples, for callers inside the core.
 *
 * Scalars are Montgomery Fr and must be reduced; points affine Montgomery, on the curve, (0, 0) for
 * infinity. n < 2^31. All functions return a status (ZKR_OK, ZKR_NOMEM, ZKR_BADARGS for n). */
#ifndef ZKR_MSM_H
#define ZKR_MSM_H

#include "curve.h"
#include "engine.h"

/* *out = sum_i scalars[i] bases[i] */
int zkr_msm_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *bases, const zkr_fe *scalars, size_t n);
int zkr_msm_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *bases, const zkr_fe *scalars, size_t n);

/* out[i] = scalars[i] base */
int zkr_fixed_base_g1(const zkr_engine *engine, zkr_g1 *out, const zkr_g1 *base, const zkr_fe *scalars, size_t n);
int zkr_fixed_base_g2(const zkr_engine *engine, zkr_g2 *out, const zkr_g2 *base, const zkr_fe *scalars, size_t n);

#endif
