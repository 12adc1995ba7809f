/* inverse_vartime.h: one modular inversion, fast and in variable time.
 *
 * Knows no field in particular: the modulus is an argument. The time depends on the value, so it
 * serves for what a prover computes for himself, never for blinding factors or toxic waste.
 *
 * Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (TCHES 2019),
 * divsteps with delta starting at 1/2 (eta = -delta - 1/2 below), taken 62 at a time on the low
 * words; runs of zero bits are skipped at once and up to six low bits of g are cancelled per step.
 */
#ifndef ZKR_INVERSE_VARTIME_H
#define ZKR_INVERSE_VARTIME_H

#include <stdint.h>

/* Signed number sum limb[i] 2^(62 i); limbs 0..3 in [0, 2^62), the top one carries the sign. */
typedef struct {
    int64_t limb[5];
} zkr_s62;

/* 2^62 times the product of 62 divstep matrices: (f, g) <- (u f + v g, q f + r g) / 2^62 */
typedef struct {
    int64_t u, v, q, r;
} zkr_divsteps;

typedef __int128 zkr_i128;

#define ZKR_S62_MASK ((int64_t)0x3fffffffffffffffLL)

static inline __attribute__((always_inline)) void zkr_s62_from_words(zkr_s62 *out, const uint64_t w[4]) {
    const uint64_t mask = (uint64_t)ZKR_S62_MASK;
    out->limb[0] = (int64_t)(w[0] & mask);
    out->limb[1] = (int64_t)((w[0] >> 62 | w[1] << 2) & mask);
    out->limb[2] = (int64_t)((w[1] >> 60 | w[2] << 4) & mask);
    out->limb[3] = (int64_t)((w[2] >> 58 | w[3] << 6) & mask);
    out->limb[4] = (int64_t)(w[3] >> 56);
}

static inline __attribute__((always_inline)) void zkr_s62_to_words(uint64_t w[4], const zkr_s62 *a) {
    w[0] = (uint64_t)a->limb[0] | (uint64_t)a->limb[1] << 62;
    w[1] = (uint64_t)a->limb[1] >> 2 | (uint64_t)a->limb[2] << 60;
    w[2] = (uint64_t)a->limb[2] >> 4 | (uint64_t)a->limb[3] << 58;
    w[3] = (uint64_t)a->limb[3] >> 6 | (uint64_t)a->limb[4] << 56;
}

/* 62 divsteps from the low words of f (odd) and g; |entries| of the matrix stay at most 2^62. */
static inline int64_t zkr_divsteps_62(int64_t eta, uint64_t f, uint64_t g, zkr_divsteps *out) {
    uint64_t u = 1, v = 0, q = 0, r = 1;
    int left = 62;
    for (;;) {
        const int zeros = __builtin_ctzll(g | (~(uint64_t)0 << left));
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros;
        left -= zeros;
        if (left == 0) break;
        if (eta < 0) { /* swap, g <- -f */
            uint64_t t;
            eta = -eta;
            t = f, f = g, g = 0 - t;
            t = u, u = q, q = 0 - t;
            t = v, v = r, r = 0 - t;
        }
        /* eta + 1 more steps without a swap, at most those left: g += w f clears as many low bits,
         * six at most. f^2 = 1 mod 8, so f^2 (f^2 - 2) = -1 mod 64 and w = f g (f^2 - 2) = -g/f. */
        int clear = eta + 1 > left ? left : (int)(eta + 1);
        if (clear > 6) clear = 6;
        const uint64_t w = (f * g * (f * f - 2)) & (((uint64_t)1 << clear) - 1);
        g += f * w;
        q += u * w;
        r += v * w;
    }
    out->u = (int64_t)u;
    out->v = (int64_t)v;
    out->q = (int64_t)q;
    out->r = (int64_t)r;
    return eta;
}

/* (a, b) <- (u a + v b, q a + r b) / 2^62 exactly; |u| + |v| and |q| + |r| are at most 2^62 and the
 * limbs are below 2^62 in magnitude, so every sum fits in 126 bits. */
static inline __attribute__((always_inline)) void zkr_divsteps_apply(zkr_s62 *f, zkr_s62 *g, const zkr_divsteps *t) {
    zkr_i128 cf = (zkr_i128)t->u * f->limb[0] + (zkr_i128)t->v * g->limb[0];
    zkr_i128 cg = (zkr_i128)t->q * f->limb[0] + (zkr_i128)t->r * g->limb[0];
    cf >>= 62;
    cg >>= 62;
#pragma GCC unroll 4
    for (int i = 1; i < 5; i++) {
        const int64_t a = f->limb[i], b = g->limb[i];
        cf += (zkr_i128)t->u * a + (zkr_i128)t->v * b;
        cg += (zkr_i128)t->q * a + (zkr_i128)t->r * b;
        f->limb[i - 1] = (int64_t)cf & ZKR_S62_MASK;
        g->limb[i - 1] = (int64_t)cg & ZKR_S62_MASK;
        cf >>= 62;
        cg >>= 62;
    }
    f->limb[4] = (int64_t)cf;
    g->limb[4] = (int64_t)cg;
}

/* The same modulo p: multiples of p are added that make the sums divisible by 2^62 and keep d and e
 * in (-2p, p): a negative operand is first raised by p, through the signs sd and se. */
static inline __attribute__((always_inline)) void zkr_divsteps_apply_mod(zkr_s62 *d, zkr_s62 *e, const zkr_divsteps *t,
                                                                         const zkr_s62 *p, uint64_t p_inverse) {
    const int64_t sd = d->limb[4] >> 63, se = e->limb[4] >> 63;
    int64_t md = (t->u & sd) + (t->v & se);
    int64_t me = (t->q & sd) + (t->r & se);
    zkr_i128 cd = (zkr_i128)t->u * d->limb[0] + (zkr_i128)t->v * e->limb[0];
    zkr_i128 ce = (zkr_i128)t->q * d->limb[0] + (zkr_i128)t->r * e->limb[0];
    md -= (int64_t)((p_inverse * (uint64_t)cd + (uint64_t)md) & (uint64_t)ZKR_S62_MASK);
    me -= (int64_t)((p_inverse * (uint64_t)ce + (uint64_t)me) & (uint64_t)ZKR_S62_MASK);
    cd += (zkr_i128)p->limb[0] * md;
    ce += (zkr_i128)p->limb[0] * me;
    cd >>= 62;
    ce >>= 62;
#pragma GCC unroll 4
    for (int i = 1; i < 5; i++) {
        const int64_t a = d->limb[i], b = e->limb[i];
        cd += (zkr_i128)t->u * a + (zkr_i128)t->v * b + (zkr_i128)p->limb[i] * md;
        ce += (zkr_i128)t->q * a + (zkr_i128)t->r * b + (zkr_i128)p->limb[i] * me;
        d->limb[i - 1] = (int64_t)cd & ZKR_S62_MASK;
        e->limb[i - 1] = (int64_t)ce & ZKR_S62_MASK;
        cd >>= 62;
        ce >>= 62;
    }
    d->limb[4] = (int64_t)cd;
    e->limb[4] = (int64_t)ce;
}

/* d <- sign d (sign is 0 or -1), then + p while negative; d in (-2p, p) -> [0, p) */
static inline void zkr_s62_normalise(zkr_s62 *d, int64_t sign, const zkr_s62 *p) {
    for (int pass = 0; pass < 2; pass++) {
        const int64_t raise = d->limb[4] >> 63;
        /* after the first raise d is in (-p, p), where the sign may be applied; after the second in [0, p) */
        const int64_t negate = pass == 0 ? sign : 0;
        int64_t carry = 0;
        for (int i = 0; i < 5; i++) {
            carry += ((d->limb[i] + (p->limb[i] & raise)) ^ negate) - negate;
            d->limb[i] = i < 4 ? carry & ZKR_S62_MASK : carry;
            if (i < 4) carry >>= 62;
        }
    }
}

/* out = 1/x mod p, canonical in and out, p odd and below 2^254, p_inverse = 1/p mod 2^62 (or 2^64).
 * 0 gives 0. Not constant time. */
static inline __attribute__((unused)) void zkr_inverse_vartime(uint64_t out[4], const uint64_t x[4],
                                                               const uint64_t modulus[4], uint64_t p_inverse) {
    zkr_s62 p, f, g, d = {{0, 0, 0, 0, 0}}, e = {{1, 0, 0, 0, 0}};
    zkr_s62_from_words(&p, modulus);
    zkr_s62_from_words(&g, x);
    f = p;
    int64_t eta = -1;
    while ((g.limb[0] | g.limb[1] | g.limb[2] | g.limb[3] | g.limb[4]) != 0) {
        zkr_divsteps t;
        eta = zkr_divsteps_62(eta, (uint64_t)f.limb[0] | (uint64_t)f.limb[1] << 62,
                              (uint64_t)g.limb[0] | (uint64_t)g.limb[1] << 62, &t);
        zkr_divsteps_apply_mod(&d, &e, &t, &p, p_inverse);
        zkr_divsteps_apply(&f, &g, &t);
    }
    /* f = gcd up to sign: 1 or -1 and d = 1/x up to that sign; or f = p and d = 0 for x = 0 */
    zkr_s62_normalise(&d, f.limb[4] >> 63, &p);
    zkr_s62_to_words(out, &d);
}

#endif
