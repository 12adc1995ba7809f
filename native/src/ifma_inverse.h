/* ifma_inverse.h: inverses of eight lanes at once. */
#ifndef ZKR_IFMA_INVERSE_H
#define ZKR_IFMA_INVERSE_H

#include "field.h"
#include "ifma52.h"
#include "ifma_split.h"

/* One inverse of canonical integers modulo the field's prime, 0 for 0 */
typedef void (*zkr_invert_fn)(zkr_fe *out, const zkr_fe *a);

/* lanes l and l ^ distance change places */
ZKR_V52_INLINE void zkr_v52_swap(zkr_v52 *out, const zkr_v52 *a, const int distance) {
    for (int j = 0; j < 5; j++) {
        out->l[j] = distance == 1   ? _mm512_permutex_epi64(a->l[j], 0xb1)
                    : distance == 2 ? _mm512_permutex_epi64(a->l[j], 0x4e)
                                    : _mm512_shuffle_i64x2(a->l[j], a->l[j], 0x4e);
    }
}

/* 1/a in each lane, 0 for 0, for any a below 2^260; the result is below 2 p. Montgomery's trick as a
 * butterfly over the lanes, and one inversion of the product of all: with the inversion
 * in variable time that takes about a fifth of what a chain of 254 squarings on all lanes takes.
 * `invert` decides whether the time depends on the values. Bounds in units of p: x < 1, pairs < 1/84 + 1,
 * what follows likewise: a product of two values below 2 is below 4/84 + 1. */
static __attribute__((noinline, unused)) void zkr_v52_inverse(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f,
                                                              zkr_invert_fn invert) {
    zkr_v52 x, pairs, fours, all, others, t;
    zkr_v52_canonical(&x, a, f);
    const __m512i any = _mm512_or_si512(
        _mm512_or_si512(_mm512_or_si512(x.l[0], x.l[1]), _mm512_or_si512(x.l[2], x.l[3])), x.l[4]);
    const __mmask8 nonzero = _mm512_test_epi64_mask(any, any);
    for (int j = 0; j < 5; j++) x.l[j] = _mm512_mask_mov_epi64(zkr_v52_set1(f->one[j]), nonzero, x.l[j]);
    zkr_v52_swap(&others, &x, 1);
    zkr_v52_mul(&pairs, &x, &others, f);
    zkr_v52_swap(&t, &pairs, 2);
    zkr_v52_mul(&fours, &pairs, &t, f);
    zkr_v52_mul(&others, &others, &t, f);
    zkr_v52_swap(&t, &fours, 4);
    zkr_v52_mul(&all, &fours, &t, f);
    zkr_v52_mul(&others, &others, &t, f);
    zkr_v52_mul1(&others, &others, f->r780, f); /* so that 1/(x 2^260) becomes x^-1 2^260 */
    zkr_v52_canonical(&all, &all, f);
    uint64_t limbs[5];
    zkr_fe total;
    for (int j = 0; j < 5; j++) limbs[j] = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(all.l[j]));
    zkr_join52(total.l, limbs);
    invert(&total, &total);
    zkr_split52(limbs, total.l);
    zkr_v52_mul1(&others, &others, limbs, f);
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_maskz_mov_epi64(nonzero, others.l[j]);
}

#endif
