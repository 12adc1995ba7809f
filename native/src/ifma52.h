/* ifma52.h: Fr and Fq on eight lanes of AVX-512 IFMA, radix 2^52, five limbs.
 *
 * Knows no algorithm above the field. Only for translation units compiled with -mavx512f
 * -mavx512ifma -mavx512vl -mavx512dq. Everything is static inline; an output may be an input.
 *
 * An element x is held as X = x * 2^260 (mod p): Montgomery with radix 2^260. X is *lazy*: any
 * representative below 2^260 will do, and callers keep a bound in units of p, of which there are 84
 * in 2^260 (p > 2^260 / 85). Limbs are *tidy*, each in [0, 2^52), wherever a value is multiplied,
 * because the multiply-add reads 52 bits of its factors.
 *
 * Bounds used throughout, in units of p:
 *   product of a and b below 2^260          < a b / 84 + 1
 *   load from x * 2^256 (x canonical)       < 16
 *   zkr_v52_reduce of anything below 2^260  < 1 + 2^-40
 */
#ifndef ZKR_IFMA52_H
#define ZKR_IFMA52_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "field.h"

#define ZKR_V52_INLINE ZKR_INLINE
#define ZKR_V52_MASK 0xfffffffffffffULL

typedef struct {
    uint64_t p[5];
    uint64_t inv;          /* -1/p mod 2^52 */
    uint64_t mu;           /* floor(2^305 / p) */
    uint64_t one[5];       /* 2^260 mod p: one */
    uint64_t r780[5];      /* 2^780 mod p: times 1/X gives the X of 1/x */
} zkr_f52;

#include "ifma_constants.h"

/* Eight elements: l[j] holds limb j of each. */
typedef struct {
    __m512i l[5];
} zkr_v52;

/* Sums of products before their reduction: column k weighs 2^(52 k). Low and high halves are summed
 * apart, which halves the chains of dependent multiply-adds. A product adds at most 5 * 2^52 to a
 * half, so 400 products leave room for the reduction in 64 bits. */
typedef struct {
    __m512i lo[10], hi[10];
} zkr_v52_wide;

ZKR_V52_INLINE __m512i zkr_v52_set1(uint64_t x) { return _mm512_set1_epi64((long long)x); }

ZKR_V52_INLINE void zkr_v52_broadcast(zkr_v52 *out, const uint64_t limbs[5]) {
    for (int j = 0; j < 5; j++) out->l[j] = zkr_v52_set1(limbs[j]);
}

/* Carries upwards. Limbs may be anything signed as long as the value is in [0, 2^260). */
ZKR_V52_INLINE void zkr_v52_tidy(zkr_v52 *x) {
    const __m512i mask = zkr_v52_set1(ZKR_V52_MASK);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        x->l[j + 1] = _mm512_add_epi64(x->l[j + 1], _mm512_srai_epi64(x->l[j], 52));
        x->l[j] = _mm512_and_si512(x->l[j], mask);
    }
}

ZKR_V52_INLINE void zkr_v52_add(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) {
    zkr_v52 t;
    for (int j = 0; j < 5; j++) t.l[j] = _mm512_add_epi64(a->l[j], b->l[j]);
    zkr_v52_tidy(&t);
    *out = t;
}

/* a - b + k p, where b <= k p */
ZKR_V52_INLINE void zkr_v52_sub(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, uint64_t k, const zkr_f52 *f) {
    zkr_v52 t;
    for (int j = 0; j < 5; j++) {
        t.l[j] = _mm512_sub_epi64(_mm512_add_epi64(a->l[j], zkr_v52_set1(k * f->p[j])), b->l[j]);
    }
    zkr_v52_tidy(&t);
    *out = t;
}

/* ---- products ------------------------------------------------------------------------------- */

ZKR_V52_INLINE void zkr_v52_wide_zero(zkr_v52_wide *t) {
    for (int k = 0; k < 10; k++) t->lo[k] = t->hi[k] = _mm512_setzero_si512();
}

/* t += a b: 50 multiply-adds */
ZKR_V52_INLINE void zkr_v52_wide_mac(zkr_v52_wide *t, const zkr_v52 *a, const zkr_v52 *b) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
        for (int j = 0; j < 5; j++) {
            t->lo[i + j] = _mm512_madd52lo_epu64(t->lo[i + j], a->l[j], b->l[i]);
            t->hi[i + j + 1] = _mm512_madd52hi_epu64(t->hi[i + j + 1], a->l[j], b->l[i]);
        }
    }
}

/* The same with one factor for all lanes */
ZKR_V52_INLINE void zkr_v52_wide_mac1(zkr_v52_wide *t, const zkr_v52 *a, const uint64_t b[5]) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
        const __m512i bi = zkr_v52_set1(b[i]);
#pragma GCC unroll 5
        for (int j = 0; j < 5; j++) {
            t->lo[i + j] = _mm512_madd52lo_epu64(t->lo[i + j], a->l[j], bi);
            t->hi[i + j + 1] = _mm512_madd52hi_epu64(t->hi[i + j + 1], a->l[j], bi);
        }
    }
}

/* Montgomery reduction (Montgomery 1985, word by word): out = (t + m p) / 2^260 + add, tidy, with
 * m < 2^260; add may be NULL or untidy. 50 multiply-adds, not 55: the low half of m p_0 only clears
 * the column, and the carry that it makes, floor((t_i + lo(m p_0)) / 2^52), is
 * floor((t_i + 2^52 - 1) / 2^52) because the sum is a multiple of 2^52 and lo(m p_0) < 2^52. The
 * carry is then known before m is, which shortens the chain from column to column. */
ZKR_V52_INLINE void zkr_v52_wide_reduce(zkr_v52 *out, const zkr_v52_wide *wide, const zkr_v52 *add,
                                        const zkr_f52 *f) {
    const __m512i zero = _mm512_setzero_si512(), mask = zkr_v52_set1(ZKR_V52_MASK);
    const __m512i inv = zkr_v52_set1(f->inv);
    __m512i t[10];
    for (int k = 0; k < 10; k++) t[k] = _mm512_add_epi64(wide->lo[k], wide->hi[k]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
        const __m512i m = _mm512_madd52lo_epu64(zero, t[i], inv);
        const __m512i carry = _mm512_srli_epi64(_mm512_add_epi64(t[i], mask), 52);
        const __m512i high = _mm512_madd52hi_epu64(carry, m, zkr_v52_set1(f->p[0]));
        t[i + 1] = _mm512_add_epi64(_mm512_madd52lo_epu64(t[i + 1], m, zkr_v52_set1(f->p[1])), high);
#pragma GCC unroll 4
        for (int j = 1; j < 5; j++) {
            if (j > 1) t[i + j] = _mm512_madd52lo_epu64(t[i + j], m, zkr_v52_set1(f->p[j]));
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], m, zkr_v52_set1(f->p[j]));
        }
    }
    zkr_v52 r;
    for (int j = 0; j < 5; j++) r.l[j] = add ? _mm512_add_epi64(t[5 + j], add->l[j]) : t[5 + j];
    zkr_v52_tidy(&r);
    *out = r;
}

/* a b / 2^260: 100 multiply-adds */
ZKR_V52_INLINE void zkr_v52_mul(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, const zkr_f52 *f) {
    zkr_v52_wide t;
    zkr_v52_wide_zero(&t);
    zkr_v52_wide_mac(&t, a, b);
    zkr_v52_wide_reduce(out, &t, NULL, f);
}

ZKR_V52_INLINE void zkr_v52_mul1(zkr_v52 *out, const zkr_v52 *a, const uint64_t b[5], const zkr_f52 *f) {
    zkr_v52_wide t;
    zkr_v52_wide_zero(&t);
    zkr_v52_wide_mac1(&t, a, b);
    zkr_v52_wide_reduce(out, &t, NULL, f);
}

/* a^2 / 2^260: cross products once, doubled; 80 multiply-adds. Doubling a column that holds at most
 * 2 halves of 2^52 each stays far below 2^64. */
ZKR_V52_INLINE void zkr_v52_sqr(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    zkr_v52_wide t;
    zkr_v52_wide_zero(&t);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; j++) {
            t.lo[i + j] = _mm512_madd52lo_epu64(t.lo[i + j], a->l[j], a->l[i]);
            t.hi[i + j + 1] = _mm512_madd52hi_epu64(t.hi[i + j + 1], a->l[j], a->l[i]);
        }
    }
#pragma GCC unroll 10
    for (int k = 0; k < 10; k++) {
        t.lo[k] = _mm512_add_epi64(t.lo[k], t.lo[k]);
        t.hi[k] = _mm512_add_epi64(t.hi[k], t.hi[k]);
    }
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
        t.lo[2 * i] = _mm512_madd52lo_epu64(t.lo[2 * i], a->l[i], a->l[i]);
        t.hi[2 * i + 1] = _mm512_madd52hi_epu64(t.hi[2 * i + 1], a->l[i], a->l[i]);
    }
    zkr_v52_wide_reduce(out, &t, NULL, f);
}

/* ---- representatives ------------------------------------------------------------------------ */

/* a < 2p -> a mod p */
ZKR_V52_INLINE void zkr_v52_reduce_once(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    zkr_v52 d;
    for (int j = 0; j < 5; j++) d.l[j] = _mm512_sub_epi64(a->l[j], zkr_v52_set1(f->p[j]));
    zkr_v52_tidy(&d); /* the top limb carries the sign */
    const __mmask8 negative = _mm512_movepi64_mask(d.l[4]);
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_mask_mov_epi64(d.l[j], negative, a->l[j]);
}

/* a < 2^260, tidy -> a - floor(~a/p) p < p (1 + 2^-40), tidy. The quotient is Barrett's from the top
 * limb v alone: q = floor(v mu / 2^97) with mu = floor(2^305 / p) < 2^52. Since v <= a / 2^208,
 * q <= a/p; since v > a / 2^208 - 1 and mu > 2^305 / p - 1, v mu / 2^97 exceeds
 * a/p - 2^208/p - a/2^305 > a/p - 2^-44, so q > a/p - 1 - 2^-44. */
ZKR_V52_INLINE void zkr_v52_reduce(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i q = _mm512_srli_epi64(_mm512_madd52hi_epu64(zero, a->l[4], zkr_v52_set1(f->mu)), 45);
    zkr_v52 t = *a;
    /* q < 85, so q p_j < 2^59: a 32 x 52 bit product by two multiplications would cost more */
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
        t.l[j] = _mm512_sub_epi64(t.l[j], _mm512_madd52lo_epu64(zero, q, zkr_v52_set1(f->p[j])));
        if (j < 4) t.l[j + 1] = _mm512_sub_epi64(t.l[j + 1], _mm512_madd52hi_epu64(zero, q, zkr_v52_set1(f->p[j])));
    }
    zkr_v52_tidy(&t);
    *out = t;
}

/* a < 2^260 -> a mod p, the one representative below p */
ZKR_V52_INLINE void zkr_v52_canonical(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    zkr_v52 t;
    zkr_v52_reduce(&t, a, f);
    zkr_v52_reduce_once(out, &t, f);
}

/* lanes where a = 0 mod p, for a < 2^260 */
ZKR_V52_INLINE __mmask8 zkr_v52_is_zero(const zkr_v52 *a, const zkr_f52 *f) {
    zkr_v52 t;
    zkr_v52_canonical(&t, a, f);
    const __m512i any = _mm512_or_si512(_mm512_or_si512(_mm512_or_si512(t.l[0], t.l[1]), _mm512_or_si512(t.l[2], t.l[3])), t.l[4]);
    return _mm512_testn_epi64_mask(any, any);
}

/* X -> the integer 0 <= x < p that it stands for, in limbs of 52 bits: one reduction of X itself
 * gives (X + m p) / 2^260 < p + 1, that is at most p. */
ZKR_V52_INLINE void zkr_v52_to_integer(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    zkr_v52_wide t;
    zkr_v52_wide_zero(&t);
    for (int j = 0; j < 5; j++) t.lo[j] = a->l[j];
    zkr_v52 r;
    zkr_v52_wide_reduce(&r, &t, NULL, f);
    zkr_v52_reduce_once(out, &r, f);
}

/* ---- loads and stores ----------------------------------------------------------------------- */

/* Four columns of 64-bit words of eight rows -> rows in pairs: r[0] holds rows 0, 1; r[1] rows 2, 3;
 * r[2] rows 4, 5; r[3] rows 6, 7. zkr_v52_columns is its inverse. Each result has four sources, so two
 * steps of four permutations are the least. */
ZKR_V52_INLINE void zkr_v52_rows(__m512i r[4], const __m512i w[4]) {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512i low01 = _mm512_permutex2var_epi64(w[0], low, w[1]), low23 = _mm512_permutex2var_epi64(w[2], low, w[3]);
    const __m512i high01 = _mm512_permutex2var_epi64(w[0], high, w[1]), high23 = _mm512_permutex2var_epi64(w[2], high, w[3]);
    r[0] = _mm512_permutex2var_epi64(low01, first, low23);
    r[1] = _mm512_permutex2var_epi64(low01, second, low23);
    r[2] = _mm512_permutex2var_epi64(high01, first, high23);
    r[3] = _mm512_permutex2var_epi64(high01, second, high23);
}

ZKR_V52_INLINE void zkr_v52_columns(__m512i w[4], const __m512i r[4]) {
    /* even0: words 0, 0, 2, 2 of rows 0, 2, then of rows 1, 3; odd0: words 1 and 3; even1, odd1: rows 4 to 7 */
    const __m512i even0 = _mm512_unpacklo_epi64(r[0], r[1]), odd0 = _mm512_unpackhi_epi64(r[0], r[1]);
    const __m512i even1 = _mm512_unpacklo_epi64(r[2], r[3]), odd1 = _mm512_unpackhi_epi64(r[2], r[3]);
    const __m512i first = _mm512_setr_epi64(0, 4, 1, 5, 8, 12, 9, 13), second = _mm512_setr_epi64(2, 6, 3, 7, 10, 14, 11, 15);
    w[0] = _mm512_permutex2var_epi64(even0, first, even1);
    w[1] = _mm512_permutex2var_epi64(odd0, first, odd1);
    w[2] = _mm512_permutex2var_epi64(even0, second, even1);
    w[3] = _mm512_permutex2var_epi64(odd0, second, odd1);
}

/* Words of 64 bits -> limbs of 52 bits of the value times 2^shift; shift is 0 or 4. */
ZKR_V52_INLINE void zkr_v52_split(zkr_v52 *out, const __m512i w[4], const int shift) {
    const __m512i mask = zkr_v52_set1(ZKR_V52_MASK);
    const unsigned s = (unsigned)shift;
    out->l[0] = _mm512_and_si512(_mm512_slli_epi64(w[0], s), mask);
    out->l[1] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[0], 52 - s), _mm512_slli_epi64(w[1], 12 + s)), mask);
    out->l[2] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[1], 40 - s), _mm512_slli_epi64(w[2], 24 + s)), mask);
    out->l[3] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[2], 28 - s), _mm512_slli_epi64(w[3], 36 + s)), mask);
    out->l[4] = _mm512_srli_epi64(w[3], 16 - s);
}

/* Tidy limbs of a value below 2^256 -> words of 64 bits */
ZKR_V52_INLINE void zkr_v52_join(__m512i w[4], const zkr_v52 *a) {
    w[0] = _mm512_or_si512(a->l[0], _mm512_slli_epi64(a->l[1], 52));
    w[1] = _mm512_or_si512(_mm512_srli_epi64(a->l[1], 12), _mm512_slli_epi64(a->l[2], 40));
    w[2] = _mm512_or_si512(_mm512_srli_epi64(a->l[2], 24), _mm512_slli_epi64(a->l[3], 28));
    w[3] = _mm512_or_si512(_mm512_srli_epi64(a->l[3], 36), _mm512_slli_epi64(a->l[4], 16));
}

/* Eight rows of four words, one after the other */
ZKR_V52_INLINE void zkr_v52_load_words(__m512i w[4], const uint64_t *rows) {
    __m512i r[4];
    for (int i = 0; i < 4; i++) r[i] = _mm512_loadu_si512((const void *)(rows + 8 * i));
    zkr_v52_columns(w, r);
}

ZKR_V52_INLINE void zkr_v52_store_words(uint64_t *rows, const __m512i w[4]) {
    __m512i r[4];
    zkr_v52_rows(r, w);
    for (int i = 0; i < 4; i++) _mm512_storeu_si512((void *)(rows + 8 * i), r[i]);
}

/* Eight rows, row i at base + i * stride (in words) */
ZKR_V52_INLINE void zkr_v52_load_words_strided(__m512i w[4], const uint64_t *base, size_t stride) {
    __m512i r[4];
    for (int i = 0; i < 4; i++) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(base + (size_t)(2 * i) * stride));
        const __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(base + (size_t)(2 * i + 1) * stride));
        r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
    zkr_v52_columns(w, r);
}

ZKR_V52_INLINE void zkr_v52_store_words_strided(uint64_t *base, size_t stride, const __m512i w[4]) {
    __m512i r[4];
    zkr_v52_rows(r, w);
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_si256((__m256i *)(void *)(base + (size_t)(2 * i) * stride), _mm512_castsi512_si256(r[i]));
        _mm256_storeu_si256((__m256i *)(void *)(base + (size_t)(2 * i + 1) * stride), _mm512_extracti64x4_epi64(r[i], 1));
    }
}

/* X < 16 p -> x * 2^256 mod p, canonical: one step of Montgomery's reduction by 2^4, (X + m p) / 16
 * with m < 16, is below (16 p + 15 p) / 16 < 2p. */
ZKR_V52_INLINE void zkr_v52_to_mont256(zkr_v52 *out, const zkr_v52 *a, const zkr_f52 *f) {
    const __m512i zero = _mm512_setzero_si512(), mask = zkr_v52_set1(ZKR_V52_MASK);
    const __m512i m = _mm512_and_si512(_mm512_madd52lo_epu64(zero, a->l[0], zkr_v52_set1(f->inv)), zkr_v52_set1(15));
    zkr_v52 t = *a;
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
        t.l[j] = _mm512_madd52lo_epu64(t.l[j], m, zkr_v52_set1(f->p[j]));
        if (j < 4) t.l[j + 1] = _mm512_madd52hi_epu64(t.l[j + 1], m, zkr_v52_set1(f->p[j]));
    }
    zkr_v52_tidy(&t);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        t.l[j] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(t.l[j], 4), _mm512_slli_epi64(t.l[j + 1], 48)), mask);
    }
    t.l[4] = _mm512_srli_epi64(t.l[4], 4);
    zkr_v52_reduce_once(out, &t, f);
}

#endif
