/* field.h: Fr, Fq and Fq2 for one translation unit.
 *
 * Elements are in Montgomery form (radix 2^256) and always reduced, 0 <= x < p. Everything is static
 * inline over pointers; an output may be one of the inputs. By default products are portable C; a
 * translation unit compiled with -mbmi2 -madx that defines ZKR_FIELD_ADX before including this file
 * gets the MULX/ADCX/ADOX product instead. No function here branches on secret values except
 * is_zero/eq, whose callers do.
 */
#ifndef ZKR_FIELD_H
#define ZKR_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "field_constants.h"
#include "inverse_vartime.h"

typedef struct {
    uint64_t l[4];
} zkr_fe;

typedef struct {
    zkr_fe c0, c1; /* c0 + c1 * i, i^2 = -1 */
} zkr_fe2;

typedef unsigned __int128 zkr_u128;

#if defined(__SANITIZE_ADDRESS__) /* checks make bodies large: let the compiler choose */
#define ZKR_INLINE static inline __attribute__((unused))
#else
#define ZKR_INLINE static inline __attribute__((always_inline, unused))
#endif
#define ZKR_NOINLINE static __attribute__((noinline, unused))
#define ZKR_LIMBS_(name) {{name##_0, name##_1, name##_2, name##_3}}
#define ZKR_LIMBS(name) ZKR_LIMBS_(name)

/* a + b + carry, the carry (0 or 1) replaced. Compilers before gcc 13 see a chain of carries in neither
 * 128-bit sums nor comparisons, only in the intrinsics, which any x86-64 has. */
ZKR_INLINE uint64_t zkr_adc(uint64_t a, uint64_t b, uint64_t *carry) {
    unsigned long long t;
#if defined(__x86_64__)
    *carry = _addcarry_u64((unsigned char)*carry, a, b, &t);
#else
    const bool first = __builtin_add_overflow((unsigned long long)a, (unsigned long long)b, &t);
    const bool second = __builtin_add_overflow(t, (unsigned long long)*carry, &t);
    *carry = first | second;
#endif
    return t;
}

/* a - b - borrow, the borrow (0 or 1) replaced */
ZKR_INLINE uint64_t zkr_sbb(uint64_t a, uint64_t b, uint64_t *borrow) {
    unsigned long long t;
#if defined(__x86_64__)
    *borrow = _subborrow_u64((unsigned char)*borrow, a, b, &t);
#else
    const bool first = __builtin_sub_overflow((unsigned long long)a, (unsigned long long)b, &t);
    const bool second = __builtin_sub_overflow(t, (unsigned long long)*borrow, &t);
    *borrow = first | second;
#endif
    return t;
}

ZKR_INLINE bool zkr_fe_is_zero(const zkr_fe *a) { return (a->l[0] | a->l[1] | a->l[2] | a->l[3]) == 0; }

ZKR_INLINE bool zkr_fe_eq(const zkr_fe *a, const zkr_fe *b) {
    return ((a->l[0] ^ b->l[0]) | (a->l[1] ^ b->l[1]) | (a->l[2] ^ b->l[2]) | (a->l[3] ^ b->l[3])) == 0;
}

/* out = mask ? a : out, mask all ones or zero */
ZKR_INLINE void zkr_fe_cmov(zkr_fe *out, const zkr_fe *a, uint64_t mask) {
    for (int i = 0; i < 4; i++) out->l[i] = (out->l[i] & ~mask) | (a->l[i] & mask);
}

#define ZKR_PASTE_(a, b) a##b
#define ZKR_PASTE(a, b) ZKR_PASTE_(a, b)

#define F(name) ZKR_PASTE(fr_, name)
#define P(name) ZKR_PASTE(FR_, name)
#include "field_mont.inc.h"
#undef F
#undef P

#define F(name) ZKR_PASTE(fq_, name)
#define P(name) ZKR_PASTE(FQ_, name)
#include "field_mont.inc.h"
#undef F
#undef P

/* ---- Fq2 = Fq[i]/(i^2 + 1) ------------------------------------------------------------------ */

static const zkr_fe2 fq2_zero = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
static const zkr_fe2 fq2_one = {ZKR_LIMBS(FQ_ONE), {{0, 0, 0, 0}}};

ZKR_INLINE bool fq2_is_zero(const zkr_fe2 *a) { return zkr_fe_is_zero(&a->c0) & zkr_fe_is_zero(&a->c1); }
ZKR_INLINE bool fq2_eq(const zkr_fe2 *a, const zkr_fe2 *b) {
    return zkr_fe_eq(&a->c0, &b->c0) & zkr_fe_eq(&a->c1, &b->c1);
}
ZKR_INLINE void fq2_add(zkr_fe2 *out, const zkr_fe2 *a, const zkr_fe2 *b) {
    fq_add(&out->c0, &a->c0, &b->c0);
    fq_add(&out->c1, &a->c1, &b->c1);
}
ZKR_INLINE void fq2_sub(zkr_fe2 *out, const zkr_fe2 *a, const zkr_fe2 *b) {
    fq_sub(&out->c0, &a->c0, &b->c0);
    fq_sub(&out->c1, &a->c1, &b->c1);
}
ZKR_INLINE void fq2_neg(zkr_fe2 *out, const zkr_fe2 *a) {
    fq_neg(&out->c0, &a->c0);
    fq_neg(&out->c1, &a->c1);
}
ZKR_INLINE void fq2_dbl(zkr_fe2 *out, const zkr_fe2 *a) {
    fq_dbl(&out->c0, &a->c0);
    fq_dbl(&out->c1, &a->c1);
}
ZKR_INLINE void fq2_conj(zkr_fe2 *out, const zkr_fe2 *a) {
    out->c0 = a->c0;
    fq_neg(&out->c1, &a->c1);
}

/* Karatsuba. The sums are left unreduced: both factors below 2q give a Montgomery result below
 * (4q^2 + 2^256 q)/2^256 < 1.76 q, which one subtraction reduces. */
ZKR_NOINLINE void fq2_mul(zkr_fe2 *out, const zkr_fe2 *a, const zkr_fe2 *b) {
    zkr_fe s, t, v0, v1, m;
    fq_add_unreduced(&s, &a->c0, &a->c1);
    fq_add_unreduced(&t, &b->c0, &b->c1);
    fq_mul(&v0, &a->c0, &b->c0);
    fq_mul(&v1, &a->c1, &b->c1);
    fq_mul(&m, &s, &t);
    fq_sub(&out->c0, &v0, &v1);
    fq_sub(&m, &m, &v0);
    fq_sub(&out->c1, &m, &v1);
}

/* (c0 + c1)(c0 - c1) + 2 c0 c1 i */
ZKR_NOINLINE void fq2_sqr(zkr_fe2 *out, const zkr_fe2 *a) {
    zkr_fe s, d, m;
    fq_add_unreduced(&s, &a->c0, &a->c1);
    fq_sub(&d, &a->c0, &a->c1);
    fq_mul(&m, &a->c0, &a->c1);
    fq_mul(&out->c0, &s, &d);
    fq_dbl(&out->c1, &m);
}

ZKR_INLINE void fq2_mul_fq(zkr_fe2 *out, const zkr_fe2 *a, const zkr_fe *k) {
    zkr_fe t = *k;
    fq_mul(&out->c0, &a->c0, &t);
    fq_mul(&out->c1, &a->c1, &t);
}

/* 1/a = conj(a)/(a conj(a)); 0 for a = 0 */
#define ZKR_FQ2_INVERSE(name, inverse_of_norm)              \
    ZKR_NOINLINE void name(zkr_fe2 *out, const zkr_fe2 *a) { \
        zkr_fe n, t;                                        \
        fq_sqr(&n, &a->c0);                                 \
        fq_sqr(&t, &a->c1);                                 \
        fq_add(&n, &n, &t);                                 \
        inverse_of_norm(&n, &n);                            \
        fq_mul(&t, &a->c1, &n);                             \
        fq_mul(&out->c0, &a->c0, &n);                       \
        fq_neg(&out->c1, &t);                               \
    }
ZKR_FQ2_INVERSE(fq2_inv, fq_inv)
ZKR_FQ2_INVERSE(fq2_inv_vartime, fq_inv_vartime)
#undef ZKR_FQ2_INVERSE

#endif
