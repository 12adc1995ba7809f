/* ntt.h: number-theoretic transforms over Fr, for callers inside the core. */
#ifndef ZKR_NTT_H
#define ZKR_NTT_H

#include "engine.h"

/* out[i] = sum_j a[j] x_i^j with x_i = w^i, or g w^i when coset (g^2 = w); natural order; w is
 * 5^((r-1)/n), n = 2^log_n, log_n <= 28. Montgomery. out may be a. `scratch` holds n elements and
 * overlaps neither, or is NULL: then memory is taken and given back. */
int zkr_ntt_forward(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool coset,
                    zkr_fe *scratch);
/* Its inverse, the division by n included. */
int zkr_ntt_inverse(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool coset,
                    zkr_fe *scratch);

/* w = 5^((r-1)/2^log_n), Montgomery; log_n <= 28 */
void zkr_ntt_root(zkr_fe *w, unsigned log_n);

#endif
