/* ifma_curve.h: the base fields of G1 and G2 on eight lanes, as the curve kernels use them.
 *
 * Knows no point. A coordinate stands in memory as the ABI's x * 2^256 mod p, except that it may be
 * any representative below p (1 + 2^-40), called *weak*; a product of lanes divides by 2^260, which
 * the curve kernels make up for where they invert (see ifma_curve_group.inc.h). Bounds below are in
 * units of p, of which 2^260 holds 84.
 */
#ifndef ZKR_IFMA_CURVE_H
#define ZKR_IFMA_CURVE_H

#include "field.h"
#include "ifma52.h"
#include "ifma_fq2.h"

/* k p in limbs of 52 bits for 0 <= k < 8, one row of eight a limb */
static uint64_t zkr_fq_multiples[5][8] __attribute__((aligned(64)));

static void zkr_fq_multiples_fill(void) {
    for (unsigned k = 0; k < 8; k++) {
        uint64_t carry = 0;
        for (unsigned j = 0; j < 5; j++) {
            carry += k * zkr_f52_fq.p[j];
            zkr_fq_multiples[j][k] = j < 4 ? carry & ZKR_V52_MASK : carry;
            carry >>= 52;
        }
    }
}

/* A value in [p/2, 8p) with limbs that tidy would carry by at most 7 -> weak and tidy. The quotient is
 * zkr_v52_reduce's from the top limb less 8, so that carries still to come cannot make it too large;
 * it is too small, by one, only within 17 2^52 / 2^97 < 2^-40 of a multiple. */
ZKR_V52_INLINE void zkr_fq_weaken(zkr_v52 *out, const zkr_v52 *a) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i top = _mm512_sub_epi64(a->l[4], zkr_v52_set1(8));
    const __m512i q = _mm512_srli_epi64(_mm512_madd52hi_epu64(zero, top, zkr_v52_set1(zkr_f52_fq.mu)), 45);
    for (int j = 0; j < 5; j++) {
        const __m512i row = _mm512_load_si512((const void *)zkr_fq_multiples[j]);
        out->l[j] = _mm512_sub_epi64(a->l[j], _mm512_permutexvar_epi64(q, row));
    }
    zkr_v52_tidy(out);
}

/* One weak element below 2p -> the one below p, which its top word tells it to be but once in 2^40 */
ZKR_INLINE void zkr_fq_settle(zkr_fe *a) {
    zkr_fe t;
    uint64_t borrow = 0;
    if (__builtin_expect(a->l[3] < FQ_P_3, 1)) return;
    for (int i = 0; i < 4; i++) t.l[i] = zkr_sbb(a->l[i], fq_modulus.l[i], &borrow);
    zkr_fe_cmov(a, &t, borrow - 1);
}

ZKR_INLINE void zkr_fq2_settle(zkr_fe2 *a) {
    zkr_fq_settle(&a->c0);
    zkr_fq_settle(&a->c1);
}

/* ---- Fq ------------------------------------------------------------------------------------- */

/* The element at `offset` bytes after each of eight addresses */
ZKR_V52_INLINE void lanes1_load(zkr_v52 *out, const uint64_t at[8], const size_t offset) {
    __m512i r[4], w[4];
    for (int i = 0; i < 4; i++) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)(at[2 * i] + offset));
        const __m256i high = _mm256_loadu_si256((const __m256i *)(at[2 * i + 1] + offset));
        r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
    zkr_v52_columns(w, r);
    zkr_v52_split(out, w, 0);
}

ZKR_V52_INLINE void lanes1_store(const uint64_t at[8], const size_t offset, const zkr_v52 *a) {
    __m512i r[4], w[4];
    zkr_v52_join(w, a);
    zkr_v52_rows(r, w);
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_si256((__m256i *)(at[2 * i] + offset), _mm512_castsi512_si256(r[i]));
        _mm256_storeu_si256((__m256i *)(at[2 * i + 1] + offset), _mm512_extracti64x4_epi64(r[i], 1));
    }
}

/* Values below 2^256 as they stand in lanes: eight elements of memory, never read otherwise */
ZKR_V52_INLINE void lanes1_keep(zkr_fe *out, const zkr_v52 *a) {
    __m512i w[4];
    zkr_v52_join(w, a);
    for (int j = 0; j < 4; j++) _mm512_storeu_si512((void *)(out[0].l + 8 * j), w[j]);
}

ZKR_V52_INLINE void lanes1_kept(zkr_v52 *out, const zkr_fe *in) {
    __m512i w[4];
    for (int j = 0; j < 4; j++) w[j] = _mm512_loadu_si512((const void *)(in[0].l + 8 * j));
    zkr_v52_split(out, w, 0);
}

ZKR_V52_INLINE void lanes1_one(zkr_v52 *out) { zkr_v52_broadcast(out, zkr_f52_fq.one); }

/* a - b + k p, shifted left */
ZKR_V52_INLINE void lanes1_sub(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, const uint64_t k, const unsigned shift) {
    zkr_v52 t;
    for (int j = 0; j < 5; j++) {
        const __m512i d = _mm512_sub_epi64(_mm512_add_epi64(a->l[j], zkr_v52_set1(k * zkr_f52_fq.p[j])), b->l[j]);
        t.l[j] = shift ? _mm512_slli_epi64(d, shift) : d;
    }
    zkr_v52_tidy(&t);
    *out = t;
}

/* a - b - c + k p with b, c weak (c may be NULL), made weak; at most 8 in all and at least 1/2 */
ZKR_V52_INLINE void lanes1_sub_weak(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, const zkr_v52 *c, const uint64_t k) {
    zkr_v52 t;
    for (int j = 0; j < 5; j++) {
        t.l[j] = _mm512_sub_epi64(_mm512_add_epi64(a->l[j], zkr_v52_set1(k * zkr_f52_fq.p[j])), b->l[j]);
        if (c != NULL) t.l[j] = _mm512_sub_epi64(t.l[j], c->l[j]);
    }
    zkr_fq_weaken(out, &t);
}

/* p - a in the lanes of mask, for a at most p */
ZKR_V52_INLINE void lanes1_negate(zkr_v52 *a, __mmask8 mask) {
    for (int j = 0; j < 5; j++) a->l[j] = _mm512_mask_sub_epi64(a->l[j], mask, zkr_v52_set1(zkr_f52_fq.p[j]), a->l[j]);
    zkr_v52_tidy(a);
}

/* lanes where weak a may be zero; where a, from lanes1_sub of weak values with k = 2, may be 0 mod p */
ZKR_V52_INLINE __mmask8 lanes1_maybe_zero(const zkr_v52 *a) { return _mm512_testn_epi64_mask(a->l[0], a->l[0]); }
ZKR_V52_INLINE __mmask8 lanes1_maybe_multiple(const zkr_v52 *a) {
    __mmask8 mask = 0;
    for (unsigned k = 1; k < 4; k++)
        mask |= _mm512_cmpeq_epi64_mask(a->l[0], zkr_v52_set1(k * zkr_f52_fq.p[0] & ZKR_V52_MASK));
    return mask;
}

ZKR_V52_INLINE void lanes1_mul(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) { zkr_v52_mul(out, a, b, &zkr_f52_fq); }
ZKR_V52_INLINE void lanes1_sqr(zkr_v52 *out, const zkr_v52 *a) { zkr_v52_sqr(out, a, &zkr_f52_fq); }

static void lanes1_set(zkr_v52 *a, unsigned lane, const zkr_fe *value) {
    uint64_t limbs[5];
    zkr_split52(limbs, value->l);
    for (int j = 0; j < 5; j++) a->l[j] = _mm512_mask_set1_epi64(a->l[j], (__mmask8)(1u << lane), (long long)limbs[j]);
}

/* 2^520 / a in each lane */
static __attribute__((noinline)) void lanes1_inverse(zkr_v52 *out, const zkr_v52 *a) {
    zkr_v52_inverse(out, a, &zkr_f52_fq, zkr_fq_invert_integer);
}

ZKR_V52_INLINE void lanes1_mul1(zkr_v52 *out, const zkr_v52 *a, const uint64_t b[5]) {
    zkr_v52_mul1(out, a, b, &zkr_f52_fq);
}

/* ---- Fq2 ------------------------------------------------------------------------------------ */

ZKR_V52_INLINE void lanes2_load(zkr_v52x2 *out, const uint64_t at[8], const size_t offset) {
    lanes1_load(&out->c0, at, offset + offsetof(zkr_fe2, c0));
    lanes1_load(&out->c1, at, offset + offsetof(zkr_fe2, c1));
}

ZKR_V52_INLINE void lanes2_store(const uint64_t at[8], const size_t offset, const zkr_v52x2 *a) {
    lanes1_store(at, offset + offsetof(zkr_fe2, c0), &a->c0);
    lanes1_store(at, offset + offsetof(zkr_fe2, c1), &a->c1);
}

ZKR_V52_INLINE void lanes2_keep(zkr_fe2 *out, const zkr_v52x2 *a) {
    lanes1_keep(&out[0].c0, &a->c0);
    lanes1_keep(&out[4].c0, &a->c1);
}

ZKR_V52_INLINE void lanes2_kept(zkr_v52x2 *out, const zkr_fe2 *in) {
    lanes1_kept(&out->c0, &in[0].c0);
    lanes1_kept(&out->c1, &in[4].c0);
}

ZKR_V52_INLINE void lanes2_one(zkr_v52x2 *out) {
    lanes1_one(&out->c0);
    for (int j = 0; j < 5; j++) out->c1.l[j] = _mm512_setzero_si512();
}

ZKR_V52_INLINE void lanes2_sub(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b, const uint64_t k, const unsigned shift) {
    lanes1_sub(&out->c0, &a->c0, &b->c0, k, shift);
    lanes1_sub(&out->c1, &a->c1, &b->c1, k, shift);
}

ZKR_V52_INLINE void lanes2_sub_weak(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b, const zkr_v52x2 *c,
                                    const uint64_t k) {
    lanes1_sub_weak(&out->c0, &a->c0, &b->c0, c == NULL ? NULL : &c->c0, k);
    lanes1_sub_weak(&out->c1, &a->c1, &b->c1, c == NULL ? NULL : &c->c1, k);
}

ZKR_V52_INLINE void lanes2_negate(zkr_v52x2 *a, __mmask8 mask) {
    lanes1_negate(&a->c0, mask);
    lanes1_negate(&a->c1, mask);
}

ZKR_V52_INLINE __mmask8 lanes2_maybe_zero(const zkr_v52x2 *a) {
    return lanes1_maybe_zero(&a->c0) & lanes1_maybe_zero(&a->c1);
}
ZKR_V52_INLINE __mmask8 lanes2_maybe_multiple(const zkr_v52x2 *a) {
    return lanes1_maybe_multiple(&a->c0) & lanes1_maybe_multiple(&a->c1);
}

/* The components of a are below 14: results below 28 b / 84 + 1 */
static __attribute__((noinline)) void lanes2_mul(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b) {
    zkr_v52x2_mul(out, a, b, 14);
}

/* Components below 4: results below 8 * 8 / 84 + 1 */
static __attribute__((noinline)) void lanes2_sqr(zkr_v52x2 *out, const zkr_v52x2 *a) { zkr_v52x2_sqr(out, a, 4); }

static void lanes2_set(zkr_v52x2 *a, unsigned lane, const zkr_fe2 *value) {
    lanes1_set(&a->c0, lane, &value->c0);
    lanes1_set(&a->c1, lane, &value->c1);
}

/* 2^520 / a, components below 4 */
static __attribute__((noinline)) void lanes2_inverse(zkr_v52x2 *out, const zkr_v52x2 *a) {
    zkr_v52x2_inverse(out, a, 4, zkr_fq_invert_integer);
}

ZKR_V52_INLINE void lanes2_mul1(zkr_v52x2 *out, const zkr_v52x2 *a, const uint64_t b[5]) {
    lanes1_mul1(&out->c0, &a->c0, b);
    lanes1_mul1(&out->c1, &a->c1, b);
}

#endif
