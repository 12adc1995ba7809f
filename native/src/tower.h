/* tower.h: Fq6 = Fq2[v]/(v^3 - xi), Fq12 = Fq6[w]/(w^2 - v), xi = 9 + i, for one translation unit.
 *
 * Must not know curves or pairings. As in field.h, elements are Montgomery and reduced, and an output
 * may be one of the inputs. Karatsuba throughout (Devegili, O hEigeartaigh, Scott, Dahab, "Multiplication
 * and squaring on pairing-friendly fields", eprint 2006/471).
 */
#ifndef ZKR_TOWER_H
#define ZKR_TOWER_H

#include "field.h"
#include "tower_constants.h"

typedef struct {
    zkr_fe2 c0, c1, c2; /* c0 + c1 v + c2 v^2 */
} zkr_fe6;

typedef struct {
    zkr_fe6 c0, c1; /* c0 + c1 w */
} zkr_fe12;

/* ---- Fq2 by xi ------------------------------------------------------------------------------ */

/* (a + b i)(9 + i) = (9a - b) + (9b + a) i */
ZKR_INLINE void fq2_mul_xi(zkr_fe2 *out, const zkr_fe2 *a) {
    zkr_fe2 t;
    fq2_dbl(&t, a);
    fq2_dbl(&t, &t);
    fq2_dbl(&t, &t);
    fq2_add(&t, &t, a);
    const zkr_fe c0 = a->c0;
    fq_sub(&t.c0, &t.c0, &a->c1);
    fq_add(&t.c1, &t.c1, &c0);
    *out = t;
}

/* ---- Fq6 ------------------------------------------------------------------------------------ */

ZKR_INLINE bool fq6_eq(const zkr_fe6 *a, const zkr_fe6 *b) {
    return fq2_eq(&a->c0, &b->c0) & fq2_eq(&a->c1, &b->c1) & fq2_eq(&a->c2, &b->c2);
}

ZKR_INLINE void fq6_add(zkr_fe6 *out, const zkr_fe6 *a, const zkr_fe6 *b) {
    fq2_add(&out->c0, &a->c0, &b->c0);
    fq2_add(&out->c1, &a->c1, &b->c1);
    fq2_add(&out->c2, &a->c2, &b->c2);
}

ZKR_INLINE void fq6_sub(zkr_fe6 *out, const zkr_fe6 *a, const zkr_fe6 *b) {
    fq2_sub(&out->c0, &a->c0, &b->c0);
    fq2_sub(&out->c1, &a->c1, &b->c1);
    fq2_sub(&out->c2, &a->c2, &b->c2);
}

ZKR_INLINE void fq6_neg(zkr_fe6 *out, const zkr_fe6 *a) {
    fq2_neg(&out->c0, &a->c0);
    fq2_neg(&out->c1, &a->c1);
    fq2_neg(&out->c2, &a->c2);
}

/* by v: (xi c2, c0, c1) */
ZKR_INLINE void fq6_mul_v(zkr_fe6 *out, const zkr_fe6 *a) {
    zkr_fe2 t;
    fq2_mul_xi(&t, &a->c2);
    out->c2 = a->c1;
    out->c1 = a->c0;
    out->c0 = t;
}

ZKR_NOINLINE void fq6_mul(zkr_fe6 *out, const zkr_fe6 *a, const zkr_fe6 *b) {
    zkr_fe2 v0, v1, v2, s, t, r0, r1;
    fq2_mul(&v0, &a->c0, &b->c0);
    fq2_mul(&v1, &a->c1, &b->c1);
    fq2_mul(&v2, &a->c2, &b->c2);
    /* r0 = v0 + xi (a1 b2 + a2 b1) */
    fq2_add(&s, &a->c1, &a->c2);
    fq2_add(&t, &b->c1, &b->c2);
    fq2_mul(&r0, &s, &t);
    fq2_sub(&r0, &r0, &v1);
    fq2_sub(&r0, &r0, &v2);
    fq2_mul_xi(&r0, &r0);
    fq2_add(&r0, &r0, &v0);
    /* r1 = a0 b1 + a1 b0 + xi v2 */
    fq2_add(&s, &a->c0, &a->c1);
    fq2_add(&t, &b->c0, &b->c1);
    fq2_mul(&r1, &s, &t);
    fq2_sub(&r1, &r1, &v0);
    fq2_sub(&r1, &r1, &v1);
    /* r2 = a0 b2 + a2 b0 + v1 */
    fq2_add(&s, &a->c0, &a->c2);
    fq2_add(&t, &b->c0, &b->c2);
    fq2_mul(&s, &s, &t);
    fq2_sub(&s, &s, &v0);
    fq2_sub(&s, &s, &v2);
    fq2_add(&out->c2, &s, &v1);
    fq2_mul_xi(&v2, &v2);
    fq2_add(&out->c1, &r1, &v2);
    out->c0 = r0;
}

/* by b0 + b1 v: five products */
ZKR_NOINLINE void fq6_mul_01(zkr_fe6 *out, const zkr_fe6 *a, const zkr_fe2 *b0, const zkr_fe2 *b1) {
    zkr_fe2 v0, v1, s, t, r0, r1;
    fq2_mul(&v0, &a->c0, b0);
    fq2_mul(&v1, &a->c1, b1);
    /* r0 = v0 + xi a2 b1 */
    fq2_add(&s, &a->c1, &a->c2);
    fq2_mul(&r0, &s, b1);
    fq2_sub(&r0, &r0, &v1);
    fq2_mul_xi(&r0, &r0);
    fq2_add(&r0, &r0, &v0);
    /* r1 = a0 b1 + a1 b0 */
    fq2_add(&s, &a->c0, &a->c1);
    fq2_add(&t, b0, b1);
    fq2_mul(&r1, &s, &t);
    fq2_sub(&r1, &r1, &v0);
    fq2_sub(&r1, &r1, &v1);
    /* r2 = a2 b0 + v1 */
    fq2_add(&s, &a->c0, &a->c2);
    fq2_mul(&s, &s, b0);
    fq2_sub(&s, &s, &v0);
    fq2_add(&out->c2, &s, &v1);
    out->c1 = r1;
    out->c0 = r0;
}

ZKR_INLINE void fq6_mul_fq2(zkr_fe6 *out, const zkr_fe6 *a, const zkr_fe2 *k) {
    fq2_mul(&out->c0, &a->c0, k);
    fq2_mul(&out->c1, &a->c1, k);
    fq2_mul(&out->c2, &a->c2, k);
}

/* 1/a; 0 for 0. With t0 = a0^2 - xi a1 a2, t1 = xi a2^2 - a0 a1, t2 = a1^2 - a0 a2 the product
 * a (t0 + t1 v + t2 v^2) is the norm a0 t0 + xi (a2 t1 + a1 t2) in Fq2. */
ZKR_NOINLINE void fq6_inv(zkr_fe6 *out, const zkr_fe6 *a) {
    zkr_fe2 t0, t1, t2, s, n;
    fq2_sqr(&t0, &a->c0);
    fq2_mul(&s, &a->c1, &a->c2);
    fq2_mul_xi(&s, &s);
    fq2_sub(&t0, &t0, &s);
    fq2_sqr(&t1, &a->c2);
    fq2_mul_xi(&t1, &t1);
    fq2_mul(&s, &a->c0, &a->c1);
    fq2_sub(&t1, &t1, &s);
    fq2_sqr(&t2, &a->c1);
    fq2_mul(&s, &a->c0, &a->c2);
    fq2_sub(&t2, &t2, &s);
    fq2_mul(&n, &a->c2, &t1);
    fq2_mul(&s, &a->c1, &t2);
    fq2_add(&n, &n, &s);
    fq2_mul_xi(&n, &n);
    fq2_mul(&s, &a->c0, &t0);
    fq2_add(&n, &n, &s);
    fq2_inv(&n, &n);
    fq2_mul(&out->c0, &t0, &n);
    fq2_mul(&out->c1, &t1, &n);
    fq2_mul(&out->c2, &t2, &n);
}

/* ---- Fq12 ----------------------------------------------------------------------------------- */

ZKR_INLINE bool fq12_eq(const zkr_fe12 *a, const zkr_fe12 *b) {
    return fq6_eq(&a->c0, &b->c0) & fq6_eq(&a->c1, &b->c1);
}

ZKR_INLINE void fq12_set_one(zkr_fe12 *out) {
    static const zkr_fe12 one = {.c0 = {.c0 = {ZKR_LIMBS(FQ_ONE), {{0, 0, 0, 0}}}}};
    *out = one;
}

ZKR_INLINE bool fq12_is_one(const zkr_fe12 *a) {
    zkr_fe12 one;
    fq12_set_one(&one);
    return fq12_eq(a, &one);
}

ZKR_NOINLINE void fq12_mul(zkr_fe12 *out, const zkr_fe12 *a, const zkr_fe12 *b) {
    zkr_fe6 v0, v1, s, t;
    fq6_mul(&v0, &a->c0, &b->c0);
    fq6_mul(&v1, &a->c1, &b->c1);
    fq6_add(&s, &a->c0, &a->c1);
    fq6_add(&t, &b->c0, &b->c1);
    fq6_mul(&s, &s, &t);
    fq6_sub(&s, &s, &v0);
    fq6_sub(&out->c1, &s, &v1);
    fq6_mul_v(&v1, &v1);
    fq6_add(&out->c0, &v0, &v1);
}

/* (c0 + c1 w)^2: with p = c0 c1, (c0 + c1)(c0 + v c1) - p - v p, and 2p */
ZKR_NOINLINE void fq12_sqr(zkr_fe12 *out, const zkr_fe12 *a) {
    zkr_fe6 p, s, t;
    fq6_mul(&p, &a->c0, &a->c1);
    fq6_add(&s, &a->c0, &a->c1);
    fq6_mul_v(&t, &a->c1);
    fq6_add(&t, &t, &a->c0);
    fq6_mul(&s, &s, &t);
    fq6_sub(&s, &s, &p);
    fq6_add(&out->c1, &p, &p);
    fq6_mul_v(&p, &p);
    fq6_sub(&out->c0, &s, &p);
}

/* by l0 + (l1 + l3 v) w, the shape of a line (powers of w in the names): 13 products */
ZKR_NOINLINE void fq12_mul_line(zkr_fe12 *f, const zkr_fe2 *l0, const zkr_fe2 *l1, const zkr_fe2 *l3) {
    zkr_fe6 p, q, s;
    zkr_fe2 t;
    fq6_mul_fq2(&p, &f->c0, l0);
    fq6_mul_01(&q, &f->c1, l1, l3);
    fq6_add(&s, &f->c0, &f->c1);
    fq2_add(&t, l0, l1);
    fq6_mul_01(&s, &s, &t, l3);
    fq6_sub(&s, &s, &p);
    fq6_sub(&f->c1, &s, &q);
    fq6_mul_v(&q, &q);
    fq6_add(&f->c0, &p, &q);
}

/* by 1 + (l1 + l3 v) w: ten products */
ZKR_NOINLINE void fq12_mul_unit_line(zkr_fe12 *f, const zkr_fe2 *l1, const zkr_fe2 *l3) {
    zkr_fe6 p, q;
    fq6_mul_01(&p, &f->c0, l1, l3);
    fq6_mul_01(&q, &f->c1, l1, l3);
    fq6_mul_v(&q, &q);
    fq6_add(&f->c0, &f->c0, &q);
    fq6_add(&f->c1, &f->c1, &p);
}

/* a^(q^6): the inverse, too, of an element of norm one over Fq6 */
ZKR_INLINE void fq12_conj(zkr_fe12 *out, const zkr_fe12 *a) {
    out->c0 = a->c0;
    fq6_neg(&out->c1, &a->c1);
}

/* 1/a; 0 for 0 */
ZKR_NOINLINE void fq12_inv(zkr_fe12 *out, const zkr_fe12 *a) {
    zkr_fe6 n, t;
    fq6_mul(&n, &a->c0, &a->c0);
    fq6_mul(&t, &a->c1, &a->c1);
    fq6_mul_v(&t, &t);
    fq6_sub(&n, &n, &t);
    fq6_inv(&n, &n);
    fq6_mul(&t, &a->c1, &n);
    fq6_mul(&out->c0, &a->c0, &n);
    fq6_neg(&out->c1, &t);
}

/* a^(q^n) for n = 1, 2, 3: the coefficient of w^k is conjugated n times, then multiplied by
 * xi^(k (q^n - 1)/6). */
ZKR_NOINLINE void fq12_frobenius(zkr_fe12 *out, const zkr_fe12 *a, int n) {
    const zkr_fe2 *from[6] = {&a->c0.c0, &a->c1.c0, &a->c0.c1, &a->c1.c1, &a->c0.c2, &a->c1.c2};
    zkr_fe2 *to[6] = {&out->c0.c0, &out->c1.c0, &out->c0.c1, &out->c1.c1, &out->c0.c2, &out->c1.c2};
    for (int k = 0; k < 6; k++) {
        if (n == 2) {
            if (k == 0) *to[k] = *from[k];
            else fq2_mul_fq(to[k], from[k], &frobenius_2[k - 1]);
        } else {
            fq2_conj(to[k], from[k]);
            if (k > 0) fq2_mul(to[k], to[k], n == 1 ? &frobenius_1[k - 1] : &frobenius_3[k - 1]);
        }
    }
}

/* One of the three squarings in Fq4 = Fq2[s]/(s^2 - xi) below: (a + b s)^2 = (a^2 + xi b^2) + 2ab s. */
ZKR_INLINE void fq4_sqr(zkr_fe2 *even, zkr_fe2 *odd, const zkr_fe2 *a, const zkr_fe2 *b) {
    zkr_fe2 aa, bb, s;
    fq2_sqr(&aa, a);
    fq2_sqr(&bb, b);
    fq2_add(&s, a, b);
    fq2_sqr(&s, &s);
    fq2_sub(&s, &s, &aa);
    fq2_sub(odd, &s, &bb);
    fq2_mul_xi(&bb, &bb);
    fq2_add(even, &aa, &bb);
}

/* 3t - 2a and 3t + 2a */
ZKR_INLINE void fq2_thrice_less(zkr_fe2 *a, const zkr_fe2 *t) {
    zkr_fe2 d;
    fq2_sub(&d, t, a);
    fq2_dbl(&d, &d);
    fq2_add(a, &d, t);
}
ZKR_INLINE void fq2_thrice_more(zkr_fe2 *a, const zkr_fe2 *t) {
    zkr_fe2 d;
    fq2_add(&d, t, a);
    fq2_dbl(&d, &d);
    fq2_add(a, &d, t);
}

/* a^2 for a in the cyclotomic subgroup, a^(q^4 - q^2 + 1) = 1 (Granger, Scott, "Faster squaring in
 * the cyclotomic subgroup of sixth degree extensions", eprint 2009/565). */
ZKR_NOINLINE void fq12_cyclotomic_sqr(zkr_fe12 *out, const zkr_fe12 *a) {
    zkr_fe2 e0, e1, e2, o0, o1, o2;
    fq4_sqr(&e0, &o0, &a->c0.c0, &a->c1.c1);
    fq4_sqr(&e1, &o1, &a->c1.c0, &a->c0.c2);
    fq4_sqr(&e2, &o2, &a->c0.c1, &a->c1.c2);
    fq2_mul_xi(&o2, &o2);
    zkr_fe12 r = *a;
    fq2_thrice_less(&r.c0.c0, &e0);
    fq2_thrice_less(&r.c0.c1, &e1);
    fq2_thrice_less(&r.c0.c2, &e2);
    fq2_thrice_more(&r.c1.c0, &o2);
    fq2_thrice_more(&r.c1.c1, &o0);
    fq2_thrice_more(&r.c1.c2, &o1);
    *out = r;
}

/* a^x for the BN parameter x and a in the cyclotomic subgroup, where inverting is conjugating */
ZKR_NOINLINE void fq12_cyclotomic_pow_x(zkr_fe12 *out, const zkr_fe12 *a) {
    zkr_fe12 inverse, r = *a;
    fq12_conj(&inverse, a);
    for (int i = (int)sizeof bn_x_naf - 2; i >= 0; i--) {
        fq12_cyclotomic_sqr(&r, &r);
        if (bn_x_naf[i] > 0) fq12_mul(&r, &r, a);
        if (bn_x_naf[i] < 0) fq12_mul(&r, &r, &inverse);
    }
    *out = r;
}

#endif
