/* kernels_ifma_scale.c: points times scalars on eight lanes, replacing entries of the adx table. */
#define ZKR_FIELD_ADX
#include "kernels.h"

#include <string.h>

#include "glv.h"
#include "ifma_fq2.h"
#include "ifma_kernels.h"

/* Vectors of eight points that share an inversion */
#define VECTORS 8

/* ---- the base fields on lanes ---------------------------------------------------------------- */

/* Elements stand as x 2^260, *lazy*: bounds in units of p are argued in ifma_scale_group.inc.h. */

/* Eight elements, x * 2^256 in memory; limbs of x 2^260, below p (1 + 2^-40) */
ZKR_V52_INLINE void s1_load(zkr_v52 *out, const zkr_fe *const rows[8]) {
    __m512i r[4], w[4];
    for (int i = 0; i < 4; i++) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)rows[2 * i]);
        const __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)rows[2 * i + 1]);
        r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
    zkr_v52_columns(w, r);
    zkr_v52_split(out, w, 4);
    zkr_v52_reduce(out, out, &zkr_f52_fq);
}

/* Its inverse for anything below 16: canonical */
ZKR_V52_INLINE void s1_store(zkr_fe *const rows[8], const zkr_v52 *a) {
    __m512i r[4], w[4];
    zkr_v52 t;
    zkr_v52_to_mont256(&t, a, &zkr_f52_fq);
    zkr_v52_join(w, &t);
    zkr_v52_rows(r, w);
    for (int i = 0; i < 8; i++) {
        const __m256i row = i % 2 ? _mm512_extracti64x4_epi64(r[i / 2], 1) : _mm512_castsi512_si256(r[i / 2]);
        _mm256_storeu_si256((__m256i *)(void *)rows[i], row);
    }
}

/* Products are calls: inlined, compilers mix several and run out of registers. */
static __attribute__((noinline)) void s1_mul(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) {
    zkr_v52_mul(out, a, b, &zkr_f52_fq);
}

static __attribute__((noinline)) void s1_sqr(zkr_v52 *out, const zkr_v52 *a) { zkr_v52_sqr(out, a, &zkr_f52_fq); }

ZKR_V52_INLINE void s1_mul1(zkr_v52 *out, const zkr_v52 *a, const uint64_t b[5]) {
    zkr_v52_mul1(out, a, b, &zkr_f52_fq);
}
ZKR_V52_INLINE void s1_add(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) { zkr_v52_add(out, a, b); }

/* a - b + k, b at most k */
ZKR_V52_INLINE void s1_sub(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, const uint64_t k) {
    zkr_v52_sub(out, a, b, k, &zkr_f52_fq);
}

ZKR_V52_INLINE void s1_reduce(zkr_v52 *a) { zkr_v52_reduce(a, a, &zkr_f52_fq); }

/* 2^shift a */
ZKR_V52_INLINE void s1_shift(zkr_v52 *out, const zkr_v52 *a, const unsigned shift) {
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_slli_epi64(a->l[j], shift);
    zkr_v52_tidy(out);
}

ZKR_V52_INLINE void s1_one(zkr_v52 *out) { zkr_v52_broadcast(out, zkr_f52_fq.one); }

ZKR_V52_INLINE void s1_select(zkr_v52 *out, const zkr_v52 *a, __mmask8 mask) {
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_mask_mov_epi64(out->l[j], mask, a->l[j]);
}

ZKR_V52_INLINE __mmask8 s1_is_zero(const zkr_v52 *a) { return zkr_v52_is_zero(a, &zkr_f52_fq); }

/* an integer's inverse, in constant time: the power p - 2 takes a / 2^256, as it reads a, to 2^512 / a */
static void s1_invert_constant(zkr_fe *out, const zkr_fe *a) {
    fq_inv(out, a);
    fq_from_mont(out, out);
    fq_from_mont(out, out);
}

static zkr_invert_fn inversion(bool secret) { return secret ? s1_invert_constant : zkr_fq_invert_integer; }

static __attribute__((noinline)) void s1_inverse(zkr_v52 *out, const zkr_v52 *a, bool secret) {
    zkr_v52_inverse(out, a, &zkr_f52_fq, inversion(secret));
}

ZKR_V52_INLINE void s2_load(zkr_v52x2 *out, const zkr_fe2 *const rows[8]) {
    const zkr_fe *c0[8], *c1[8];
    for (int i = 0; i < 8; i++) c0[i] = &rows[i]->c0, c1[i] = &rows[i]->c1;
    s1_load(&out->c0, c0);
    s1_load(&out->c1, c1);
}

ZKR_V52_INLINE void s2_store(zkr_fe2 *const rows[8], const zkr_v52x2 *a) {
    zkr_fe *c0[8], *c1[8];
    for (int i = 0; i < 8; i++) c0[i] = &rows[i]->c0, c1[i] = &rows[i]->c1;
    s1_store(c0, &a->c0);
    s1_store(c1, &a->c1);
}

/* Components of a at most 8, of b any: results below (a + 8) b / 84 + 1 */
static __attribute__((noinline)) void s2_mul(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b) {
    zkr_v52x2_mul(out, a, b, 8);
}

/* Components at most 8: results below 2 a (a + 8) / 84 + 1 */
static __attribute__((noinline)) void s2_sqr(zkr_v52x2 *out, const zkr_v52x2 *a) { zkr_v52x2_sqr(out, a, 8); }

ZKR_V52_INLINE void s2_mul1(zkr_v52x2 *out, const zkr_v52x2 *a, const uint64_t b[5]) {
    s1_mul1(&out->c0, &a->c0, b);
    s1_mul1(&out->c1, &a->c1, b);
}

ZKR_V52_INLINE void s2_add(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b) {
    s1_add(&out->c0, &a->c0, &b->c0);
    s1_add(&out->c1, &a->c1, &b->c1);
}

ZKR_V52_INLINE void s2_sub(zkr_v52x2 *out, const zkr_v52x2 *a, const zkr_v52x2 *b, const uint64_t k) {
    s1_sub(&out->c0, &a->c0, &b->c0, k);
    s1_sub(&out->c1, &a->c1, &b->c1, k);
}

ZKR_V52_INLINE void s2_reduce(zkr_v52x2 *a) {
    s1_reduce(&a->c0);
    s1_reduce(&a->c1);
}

ZKR_V52_INLINE void s2_shift(zkr_v52x2 *out, const zkr_v52x2 *a, const unsigned shift) {
    s1_shift(&out->c0, &a->c0, shift);
    s1_shift(&out->c1, &a->c1, shift);
}

ZKR_V52_INLINE void s2_one(zkr_v52x2 *out) {
    s1_one(&out->c0);
    for (int j = 0; j < 5; j++) out->c1.l[j] = _mm512_setzero_si512();
}

ZKR_V52_INLINE void s2_select(zkr_v52x2 *out, const zkr_v52x2 *a, __mmask8 mask) {
    s1_select(&out->c0, &a->c0, mask);
    s1_select(&out->c1, &a->c1, mask);
}

ZKR_V52_INLINE __mmask8 s2_is_zero(const zkr_v52x2 *a) { return s1_is_zero(&a->c0) & s1_is_zero(&a->c1); }

/* components at most 8 */
static __attribute__((noinline)) void s2_inverse(zkr_v52x2 *out, const zkr_v52x2 *a, bool secret) {
    zkr_v52x2_inverse(out, a, 8, inversion(secret));
}

/* ---- the two groups -------------------------------------------------------------------------- */

#define G(name) ZKR_PASTE(g1_, name)
#define L(name) ZKR_PASTE(s1_, name)
#define BETA glv_beta52_g1
#define FE zkr_fe
#define V zkr_v52
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#define WEAKEN(a) ((void)(a))
#define OVER_X 16
#define OVER_Y 14
#define OVER_2D 13
#define OVER_8C 9
#include "ifma_scale_group.inc.h"
#undef G
#undef L
#undef BETA
#undef FE
#undef V
#undef POINT
#undef XYZZ
#undef WEAKEN
#undef OVER_X
#undef OVER_Y
#undef OVER_2D
#undef OVER_8C

#define G(name) ZKR_PASTE(g2_, name)
#define L(name) ZKR_PASTE(s2_, name)
#define BETA glv_beta52_g2
#define FE zkr_fe2
#define V zkr_v52x2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#define WEAKEN(a) s2_reduce(a)
#define OVER_X 2
#define OVER_Y 2
#define OVER_2D 10
#define OVER_8C 11
#include "ifma_scale_group.inc.h"

void zkr_kernels_fill_ifma_scale(zkr_kernels *k) {
    k->g1.scale = g1_ifma_scale_kernel;
    k->g2.scale = g2_ifma_scale_kernel;
}
