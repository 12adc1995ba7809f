/* ifma_fq2.h: Fq2 on eight lanes: products, squares and inverses, whatever form the caller keeps values in.
 *
 * Bounds are in units of p, of which 2^260 holds 84; `k` is one for the components of a.
 */
#ifndef ZKR_IFMA_FQ2_H
#define ZKR_IFMA_FQ2_H

#include "field.h"
#include "ifma52.h"
#include "ifma_inverse.h"
#include "inverse_vartime.h"

typedef struct {
    zkr_v52 c0, c1;
} zkr_v52x2;

/* -a, a at most k */
ZKR_V52_INLINE void zkr_v52_minus(zkr_v52 *out, const zkr_v52 *a, const uint64_t k) {
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_sub_epi64(zkr_v52_set1(k * zkr_f52_fq.p[j]), a->l[j]);
    zkr_v52_tidy(out);
}

/* Both components as sums of two products under one reduction each: 300 multiply-adds. Results are below
 * (a + k) b / 84 + 1. */
ZKR_V52_INLINE void zkr_v52x2_mul(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b, const uint64_t k) {
    zkr_v52 minus;
    zkr_v52_wide t, u;
    zkr_v52_minus(&minus, &a->c1, k);
    zkr_v52_wide_zero(&t);
    zkr_v52_wide_mac(&t, &a->c0, &b->c0);
    zkr_v52_wide_mac(&t, &minus, &b->c1);
    zkr_v52_wide_zero(&u);
    zkr_v52_wide_mac(&u, &a->c0, &b->c1);
    zkr_v52_wide_mac(&u, &a->c1, &b->c0);
    zkr_v52_wide_reduce(&out->c0, &t, NULL, &zkr_f52_fq);
    zkr_v52_wide_reduce(&out->c1, &u, NULL, &zkr_f52_fq);
}

/* (c0 + c1)(c0 - c1) + 2 c0 c1 i: results below 2 a (a + k) / 84 + 1 */
ZKR_V52_INLINE void zkr_v52x2_sqr(zkr_v52x2 *out, const zkr_v52x2 *a, const uint64_t k) {
    zkr_v52 sum, difference, twice;
    zkr_v52_add(&sum, &a->c0, &a->c1);
    zkr_v52_sub(&difference, &a->c0, &a->c1, k, &zkr_f52_fq);
    zkr_v52_add(&twice, &a->c0, &a->c0);
    zkr_v52_mul(&out->c1, &twice, &a->c1, &zkr_f52_fq);
    zkr_v52_mul(&out->c0, &sum, &difference, &zkr_f52_fq);
}

/* The conjugate over the norm; `invert` as in zkr_v52_inverse */
ZKR_V52_INLINE void zkr_v52x2_inverse(zkr_v52x2 *out, const zkr_v52x2 *a, const uint64_t k, zkr_invert_fn invert) {
    zkr_v52 norm, t;
    zkr_v52_sqr(&norm, &a->c0, &zkr_f52_fq);
    zkr_v52_sqr(&t, &a->c1, &zkr_f52_fq);
    zkr_v52_add(&norm, &norm, &t);
    zkr_v52_inverse(&norm, &norm, &zkr_f52_fq, invert);
    zkr_v52_minus(&t, &a->c1, k);
    zkr_v52_mul(&out->c0, &a->c0, &norm, &zkr_f52_fq);
    zkr_v52_mul(&out->c1, &t, &norm, &zkr_f52_fq);
}

/* An integer's inverse, in variable time */
static void zkr_fq_invert_integer(zkr_fe *out, const zkr_fe *a) {
    zkr_inverse_vartime(out->l, a->l, fq_modulus.l, 0 - FQ_INV);
}

#endif
