/* pairing.inc.h: the optimal ate pairing and Groth16's equation; one body for each 64-bit instruction
 * set. Must not know where keys and proofs come from.
 *
 * Vercauteren, "Optimal pairings", eprint 2008/096; Aranha, Karabina, Longa, Gebotys, Lopez, "Faster
 * explicit formulas for computing pairings over ordinary curves", eprint 2010/526. The twist is
 * E': y^2 = x^3 + 3/xi, sent to E by (x, y) -> (x w^2, y w^3). The line through T and another point of
 * E', of slope s there, at P is y_P - s x_P w + (s x_T - y_T) w^3; factors in Fq2 do not matter, since
 * the final exponentiation makes them one.
 */
#include <string.h>

#include "pairing.h"

/* ---- points --------------------------------------------------------------------------------- */

/* psi(x, y) = (x^q xi^((q-1)/3), y^q xi^((q-1)/2)): Frobenius of E, seen on the twist */
ZKR_INLINE void psi(zkr_g2 *out, const zkr_g2 *a) {
    fq2_conj(&out->x, &a->x);
    fq2_conj(&out->y, &a->y);
    fq2_mul(&out->x, &out->x, &frobenius_1[1]);
    fq2_mul(&out->y, &out->y, &frobenius_1[2]);
}

/* -psi^2: xi^((q^2-1)/2) = -1, so y stays as it is */
ZKR_INLINE void minus_psi_2(zkr_g2 *out, const zkr_g2 *a) {
    fq2_mul_fq(&out->x, &a->x, &frobenius_2[1]);
    out->y = a->y;
}

ZKR_INLINE void psi_xyzz(zkr_g2_xyzz *a) {
    fq2_conj(&a->x, &a->x);
    fq2_conj(&a->y, &a->y);
    fq2_conj(&a->zz, &a->zz);
    fq2_conj(&a->zzz, &a->zzz);
    fq2_mul(&a->x, &a->x, &frobenius_1[1]);
    fq2_mul(&a->y, &a->y, &frobenius_1[2]);
}

/* A point on the twist is in the subgroup of order r when [x+1]Q + psi([x]Q) + psi^2([x]Q) = psi^3([2x]Q);
 * gen_tower_constants.py asserts why this is enough. */
static bool g2_in_subgroup(const zkr_g2 *q) {
    zkr_g2 minus;
    g2_neg(&minus, q);
    zkr_g2_xyzz t, sum;
    g2_from_affine(&t, q);
    for (int i = (int)sizeof bn_x_naf - 2; i >= 0; i--) {
        g2_double(&t);
        if (bn_x_naf[i] > 0) g2_add_affine(&t, q);
        if (bn_x_naf[i] < 0) g2_add_affine(&t, &minus);
    }
    sum = t;
    g2_add_affine(&sum, q);
    psi_xyzz(&t);
    g2_add(&sum, &t);
    psi_xyzz(&t);
    g2_add(&sum, &t);
    psi_xyzz(&t);
    g2_double(&t);
    fq2_neg(&t.y, &t.y);
    g2_add(&sum, &t);
    return fq2_is_zero(&sum.zz);
}

static void g2_in_subgroup_kernel(uint8_t *out, const zkr_g2 *points, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = g2_is_on_curve(&points[i]) && g2_in_subgroup(&points[i]);
}

/* Coordinates below q, finite, on the curve. */
static bool g1_is_valid(const zkr_g1 *p) {
    return fq_is_canonical(&p->x) && fq_is_canonical(&p->y) && !g1_is_infinity(p) && g1_is_on_curve(p);
}

/* The same, and in the subgroup. */
static bool g2_is_valid(const zkr_g2 *q) {
    return fq_is_canonical(&q->x.c0) && fq_is_canonical(&q->x.c1) && fq_is_canonical(&q->y.c0) &&
           fq_is_canonical(&q->y.c1) && !g2_is_infinity(q) && g2_is_on_curve(q) && g2_in_subgroup(q);
}

/* ---- Miller loop ---------------------------------------------------------------------------- */

/* A point of the twist, x = X/Z, y = Y/Z, and the line last met on its way: y_P r0 + x_P r1 w + r3 w^3. */
typedef struct {
    zkr_fe2 x, y, z, r0, r1, r3;
} miller_state;

/* (a/2), a < q: a or a + q is even, and a + q fits 256 bits. */
ZKR_INLINE void fq_half(zkr_fe *a) {
    const uint64_t odd = 0 - (a->l[0] & 1);
    const zkr_fe add = {{FQ_P_0 & odd, FQ_P_1 & odd, FQ_P_2 & odd, FQ_P_3 & odd}};
    fq_add_unreduced(a, a, &add);
    for (int i = 0; i < 3; i++) a->l[i] = a->l[i] >> 1 | a->l[i + 1] << 63;
    a->l[3] >>= 1;
}

ZKR_INLINE void fq2_half(zkr_fe2 *a) {
    fq_half(&a->c0);
    fq_half(&a->c1);
}

/* T <- 2T and its tangent, times -2 Y Z: the slope is 3 X^2 / (2 Y Z), and 3 b' Z^2 - Y^2 =
 * -2YZ (slope x_T - y_T) by the curve's equation. */
static void miller_double(miller_state *t) {
    static const zkr_fe2 b = {ZKR_LIMBS(FQ_B2C0), ZKR_LIMBS(FQ_B2C1)};
    zkr_fe2 xy, yy, zz, e, e3, h, g, s;
    fq2_mul(&xy, &t->x, &t->y);
    fq2_half(&xy);
    fq2_sqr(&yy, &t->y);
    fq2_sqr(&zz, &t->z);
    fq2_dbl(&e, &zz);
    fq2_add(&e, &e, &zz);
    fq2_mul(&e, &e, &b); /* 3 b' Z^2 */
    fq2_dbl(&e3, &e);
    fq2_add(&e3, &e3, &e);
    fq2_add(&h, &t->y, &t->z);
    fq2_sqr(&h, &h);
    fq2_sub(&h, &h, &yy);
    fq2_sub(&h, &h, &zz); /* 2 Y Z */
    fq2_sqr(&s, &t->x);
    fq2_dbl(&t->r1, &s);
    fq2_add(&t->r1, &t->r1, &s);
    fq2_neg(&t->r0, &h);
    fq2_sub(&t->r3, &e, &yy);
    /* X <- XY/2 (Y^2 - 9b'Z^2), Y <- ((Y^2 + 9b'Z^2)/2)^2 - 27 b'^2 Z^4, Z <- 2 Y^3 Z */
    fq2_sub(&s, &yy, &e3);
    fq2_mul(&t->x, &xy, &s);
    fq2_add(&g, &yy, &e3);
    fq2_half(&g);
    fq2_sqr(&g, &g);
    fq2_sqr(&s, &e);
    fq2_sub(&g, &g, &s);
    fq2_dbl(&s, &s);
    fq2_sub(&t->y, &g, &s);
    fq2_mul(&t->z, &yy, &h);
}

/* T <- T + Q and the line through both, times X - x_Q Z: the slope is (Y - y_Q Z) / (X - x_Q Z). */
static void miller_add(miller_state *t, const zkr_g2 *q) {
    zkr_fe2 theta, lambda, cc, dd, e, f, g, h, s;
    fq2_mul(&theta, &q->y, &t->z);
    fq2_sub(&theta, &t->y, &theta);
    fq2_mul(&lambda, &q->x, &t->z);
    fq2_sub(&lambda, &t->x, &lambda);
    fq2_sqr(&cc, &theta);
    fq2_sqr(&dd, &lambda);
    fq2_mul(&e, &dd, &lambda);
    fq2_mul(&f, &t->z, &cc);
    fq2_mul(&g, &t->x, &dd);
    fq2_add(&h, &e, &f);
    fq2_sub(&h, &h, &g);
    fq2_sub(&h, &h, &g);
    fq2_mul(&t->x, &lambda, &h);
    fq2_sub(&g, &g, &h);
    fq2_mul(&g, &g, &theta);
    fq2_mul(&s, &e, &t->y);
    fq2_sub(&t->y, &g, &s);
    fq2_mul(&t->z, &t->z, &e);
    t->r0 = lambda;
    fq2_neg(&t->r1, &theta);
    fq2_mul(&t->r3, &theta, &q->x);
    fq2_mul(&s, &lambda, &q->y);
    fq2_sub(&t->r3, &t->r3, &s);
}

ZKR_INLINE void miller_start(miller_state *t, const zkr_g2 *q) {
    t->x = q->x;
    t->y = q->y;
    t->z = fq2_one;
}

static void miller_advance(miller_state *t, int step, const zkr_g2 *q) {
    zkr_g2 other;
    switch (step) {
    case MILLER_DOUBLE: miller_double(t); return;
    case MILLER_ADD: miller_add(t, q); return;
    case MILLER_SUBTRACT: g2_neg(&other, q); break;
    case MILLER_ADD_PSI: psi(&other, q); break;
    default: minus_psi_2(&other, q); break;
    }
    miller_add(t, &other);
}

/* Lines over fixed points, and where on them: (x/y, 1/y) of a point of G1. */
typedef struct {
    const zkr_line *lines;
    zkr_fe x_over_y, one_over_y;
} miller_fixed;

#define MILLER_PAIRS 8

/* f = the product of the Miller loops of (p[i], q[i]), i < n <= MILLER_PAIRS, and of the fixed ones, before
 * the final exponentiation. All points finite and in their subgroups. */
static void miller_loop(zkr_fe12 *f, const zkr_g1 *p, const zkr_g2 *q, size_t n, const miller_fixed *fixed,
                        size_t num_fixed) {
    miller_state t[MILLER_PAIRS];
    zkr_fe2 l0, l1, l3;
    for (size_t i = 0; i < n; i++) miller_start(&t[i], &q[i]);
    fq12_set_one(f);
    for (size_t at = 0; at < MILLER_STEPS; at++) {
        if (miller_steps[at] == MILLER_DOUBLE) fq12_sqr(f, f);
        for (size_t i = 0; i < n; i++) {
            miller_advance(&t[i], miller_steps[at], &q[i]);
            fq2_mul_fq(&l0, &t[i].r0, &p[i].y);
            fq2_mul_fq(&l1, &t[i].r1, &p[i].x);
            fq12_mul_line(f, &l0, &l1, &t[i].r3);
        }
        for (size_t i = 0; i < num_fixed; i++) {
            fq2_mul_fq(&l1, &fixed[i].lines[at].l1, &fixed[i].x_over_y);
            fq2_mul_fq(&l3, &fixed[i].lines[at].l3, &fixed[i].one_over_y);
            fq12_mul_unit_line(f, &l1, &l3);
        }
    }
}

/* The lines of Q, divided by their r0; one inversion (r0 = 0 only on points that are not in the
 * subgroup: 2T = 0, or T = +-Q). */
static void miller_prepare(zkr_line *lines, const zkr_g2 *q) {
    zkr_fe2 r0[MILLER_STEPS], before[MILLER_STEPS], product = fq2_one, inverse, s;
    miller_state t;
    miller_start(&t, q);
    for (size_t at = 0; at < MILLER_STEPS; at++) {
        miller_advance(&t, miller_steps[at], q);
        r0[at] = t.r0;
        lines[at].l1 = t.r1;
        lines[at].l3 = t.r3;
        before[at] = product;
        fq2_mul(&product, &product, &t.r0);
    }
    fq2_inv(&inverse, &product);
    for (size_t at = MILLER_STEPS; at-- > 0;) {
        fq2_mul(&s, &inverse, &before[at]);
        fq2_mul(&inverse, &inverse, &r0[at]);
        fq2_mul(&lines[at].l1, &lines[at].l1, &s);
        fq2_mul(&lines[at].l3, &lines[at].l3, &s);
    }
}

/* ---- final exponentiation ------------------------------------------------------------------- */

/* f^((q^12 - 1)/r). The hard part (q^4 - q^2 + 1)/r is q^3 + (6x^2 + 1) q^2 + (1 - 12x - 18x^2 - 36x^3) q
 * - (2 + 18x + 30x^2 + 36x^3), as y0 y1^2 y2^6 y3^12 y4^18 y5^30 y6^36 by one addition chain (Scott,
 * Benger, Charlemagne, Dominguez Perez, Kachisa, eprint 2008/490). */
static void final_exponentiation(zkr_fe12 *out, const zkr_fe12 *a) {
    zkr_fe12 f, fx, fx2, fx3, y0, y1, y2, y3, y4, y5, y6, t;
    fq12_conj(&f, a);
    fq12_inv(&t, a);
    fq12_mul(&f, &f, &t); /* a^(q^6 - 1) */
    fq12_frobenius(&t, &f, 2);
    fq12_mul(&f, &f, &t); /* ^(q^2 + 1): from here on inverses are conjugates */

    fq12_cyclotomic_pow_x(&fx, &f);
    fq12_cyclotomic_pow_x(&fx2, &fx);
    fq12_cyclotomic_pow_x(&fx3, &fx2);
    fq12_frobenius(&y0, &f, 1);
    fq12_frobenius(&t, &f, 2);
    fq12_mul(&y0, &y0, &t);
    fq12_frobenius(&t, &f, 3);
    fq12_mul(&y0, &y0, &t);
    fq12_conj(&y1, &f);
    fq12_frobenius(&y2, &fx2, 2);
    fq12_frobenius(&y3, &fx, 1);
    fq12_conj(&y3, &y3);
    fq12_frobenius(&y4, &fx2, 1);
    fq12_mul(&y4, &y4, &fx);
    fq12_conj(&y4, &y4);
    fq12_conj(&y5, &fx2);
    fq12_frobenius(&y6, &fx3, 1);
    fq12_mul(&y6, &y6, &fx3);
    fq12_conj(&y6, &y6);

    zkr_fe12 *const u = &fx, *const v = &fx2;
    fq12_cyclotomic_sqr(u, &y6);
    fq12_mul(u, u, &y4);
    fq12_mul(u, u, &y5); /* y6^2 y4 y5 */
    fq12_mul(v, &y3, &y5);
    fq12_mul(v, v, u); /* y6^2 y4 y5^2 y3 */
    fq12_mul(u, u, &y2);
    fq12_cyclotomic_sqr(v, v);
    fq12_mul(v, v, u);
    fq12_cyclotomic_sqr(v, v);
    fq12_mul(u, v, &y1);
    fq12_mul(v, v, &y0);
    fq12_cyclotomic_sqr(u, u);
    fq12_mul(out, u, v);
}

/* ---- kernels -------------------------------------------------------------------------------- */

static size_t pairing_check(const zkr_g1 *p, const zkr_g2 *q, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(g1_is_infinity(&p[i]) || g1_is_valid(&p[i])) || !(g2_is_infinity(&q[i]) || g2_is_valid(&q[i])))
            return i;
    return n;
}

static void pairing_product(zkr_fe12 *out, const zkr_g1 *p, const zkr_g2 *q, size_t n) {
    zkr_g1 finite_p[MILLER_PAIRS];
    zkr_g2 finite_q[MILLER_PAIRS];
    zkr_fe12 f, t;
    fq12_set_one(&f);
    for (size_t i = 0; i < n;) {
        size_t have = 0;
        for (; i < n && have < MILLER_PAIRS; i++) {
            if (g1_is_infinity(&p[i]) || g2_is_infinity(&q[i])) continue; /* e = 1 */
            finite_p[have] = p[i];
            finite_q[have++] = q[i];
        }
        miller_loop(&t, finite_p, finite_q, have, NULL, 0);
        fq12_mul(&f, &f, &t);
    }
    final_exponentiation(out, &f);
}

/* The index of the point at fault (0 alpha, 1 beta, 2 gamma, 3 delta, 4 + i ic), or SIZE_MAX. The
 * multiples of ic[1 + i] go to multiples[15 i], which key->multiples will be. */
static size_t pairing_prepare(zkr_prepared_key *key, zkr_g1 *multiples, const zkr_g1 *alpha, const zkr_g2 *beta,
                              const zkr_g2 *gamma, const zkr_g2 *delta, const zkr_g1 *ic, size_t num_public) {
    if (!g1_is_valid(alpha)) return 0;
    if (!g2_is_valid(beta)) return 1;
    if (!g2_is_valid(gamma)) return 2;
    if (!g2_is_valid(delta) || memcmp(gamma, delta, sizeof *gamma) == 0) return 3;
    for (size_t i = 0; i <= num_public; i++)
        if (!g1_is_valid(&ic[i])) return 4 + i;
    zkr_g1 minus_alpha = *alpha;
    zkr_g2 minus = *gamma;
    fq_neg(&minus_alpha.y, &alpha->y);
    miller_loop(&key->alpha_beta, &minus_alpha, beta, 1, NULL, 0);
    fq2_neg(&minus.y, &gamma->y);
    miller_prepare(key->gamma, &minus);
    minus = *delta;
    fq2_neg(&minus.y, &delta->y);
    miller_prepare(key->delta, &minus);
    key->constant = ic[0];
    key->multiples = multiples;
    key->num_public = num_public;
    for (size_t i = 0; i < num_public; i++) {
        zkr_g1_xyzz t;
        g1_from_affine(&t, &ic[1 + i]);
        for (size_t m = 0; m < ZKR_INPUT_MULTIPLES; m++) {
            g1_to_affine(&multiples[ZKR_INPUT_MULTIPLES * i + m], &t);
            g1_add_affine(&t, &ic[1 + i]);
        }
    }
    return SIZE_MAX;
}

/* ic[0] + sum public[i] ic[1 + i], by windows of four bits with shared doublings (Straus) */
static void public_point(zkr_g1_xyzz *out, const zkr_prepared_key *key, const zkr_fe *publics) {
    g1_set_infinity(out);
    for (int window = 63; window >= 0; window--) {
        for (int k = 0; k < ZKR_INPUT_WINDOW; k++) g1_double(out);
        for (size_t i = 0; i < key->num_public; i++) {
            const size_t digit = publics[i].l[window / 16] >> (4 * (window % 16)) & 15;
            if (digit != 0) g1_add_affine(out, &key->multiples[ZKR_INPUT_MULTIPLES * i + digit - 1]);
        }
    }
    g1_add_affine(out, &key->constant);
}

/* e(A, B) e(inputs, -gamma) e(C, -delta) e(-alpha, beta) = 1 */
static bool verify_one(const zkr_prepared_key *key, const zkr_g1 *a, const zkr_g2 *b, const zkr_g1 *c,
                       const zkr_fe *publics) {
    for (size_t i = 0; i < key->num_public; i++)
        if (!fr_is_canonical(&publics[i])) return false;
    if (!g1_is_valid(a) || !g1_is_valid(c) || !g2_is_valid(b)) return false;
    zkr_g1_xyzz inputs;
    public_point(&inputs, key, publics);
    /* x/y = (X ZZZ)/(ZZ Y) and 1/y = ZZZ/Y = (ZZ ZZZ)/(ZZ Y); no point of G1 has Y = 0. At infinity the
     * pair is left out, as its pairing is one. */
    const bool finite = !fq_is_zero(&inputs.zz);
    zkr_fe denominator = fq_one, inverse, t;
    if (finite) fq_mul(&denominator, &inputs.zz, &inputs.y);
    fq_mul(&t, &denominator, &c->y);
    fq_inv(&inverse, &t);
    miller_fixed fixed[2];
    fixed[0].lines = key->delta;
    fq_mul(&fixed[0].one_over_y, &inverse, &denominator);
    fq_mul(&fixed[0].x_over_y, &fixed[0].one_over_y, &c->x);
    fixed[1].lines = key->gamma;
    fq_mul(&inverse, &inverse, &c->y);
    fq_mul(&t, &inverse, &inputs.zzz);
    fq_mul(&fixed[1].x_over_y, &t, &inputs.x);
    fq_mul(&fixed[1].one_over_y, &t, &inputs.zz);
    zkr_fe12 f;
    miller_loop(&f, a, b, 1, fixed, finite ? 2 : 1);
    fq12_mul(&f, &f, &key->alpha_beta);
    final_exponentiation(&f, &f);
    return fq12_is_one(&f);
}

static void pairing_verify(uint8_t *holds, const zkr_prepared_key *key, const zkr_fe *proofs, const zkr_fe *publics,
                           size_t n) {
    for (size_t i = 0; i < n; i++) {
        zkr_g1 a, c;
        zkr_g2 b;
        memcpy(&a, proofs + 8 * i, sizeof a);
        memcpy(&b, proofs + 8 * i + 2, sizeof b);
        memcpy(&c, proofs + 8 * i + 6, sizeof c);
        holds[i] = verify_one(key, &a, &b, &c, publics + i * key->num_public) ? 1 : 0;
    }
}

static void fill_pairing(zkr_kernels *k) {
    k->g2_in_subgroup = g2_in_subgroup_kernel;
    k->pairing_check = pairing_check;
    k->pairing_product = pairing_product;
    k->pairing_prepare = pairing_prepare;
    k->pairing_verify = pairing_verify;
}
