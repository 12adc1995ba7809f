/* fr_sum.h: sums of products in Fr under one reduction, for one translation unit. Must not know what is
 * summed.
 */
#ifndef ZKR_FR_SUM_H
#define ZKR_FR_SUM_H

#include "field.h"

/* A sum of products, kept as eight limbs whose upper half is below r when it is settled: sum < r * 2^256. A value v
 * counts as v * 2^256, so that one Montgomery reduction at the end serves values and products. */
typedef struct {
    uint64_t low[4];
    zkr_fe high;
} fr_sum;

/* sum += a * b for a, b < r, five times at most before fr_sum_settle: r^2 < 0.19 r 2^256, so the upper
 * half stays below 2r, which fits 256 bits. */
ZKR_INLINE void fr_sum_add_product_lazy(fr_sum *sum, const zkr_fe *a, const zkr_fe *b) {
    uint64_t p[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            const zkr_u128 t = (zkr_u128)a->l[i] * b->l[j] + p[i + j] + carry;
            p[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        p[i + 4] = carry;
    }
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) sum->low[i] = zkr_adc(sum->low[i], p[i], &carry);
    for (int i = 0; i < 4; i++) sum->high.l[i] = zkr_adc(sum->high.l[i], p[i + 4], &carry);
}

ZKR_INLINE void fr_sum_settle(fr_sum *sum) { fr_reduce_once(&sum->high, &sum->high); }

ZKR_INLINE void fr_sum_add_product(fr_sum *sum, const zkr_fe *a, const zkr_fe *b) {
    fr_sum_add_product_lazy(sum, a, b);
    fr_sum_settle(sum);
}

/* sum / 2^256 mod r of a settled sum: the upper half, and the lower one divided by four steps, each of which adds a
 * multiple of r that clears the lowest limb and shifts it out. What is left of the lower half is at most
 * (2^256 - 1 + (2^256 - 1) r) / 2^256 < r + 1, so that the two together are below 2r. */
ZKR_INLINE void fr_sum_reduce(zkr_fe *out, const fr_sum *sum) {
    uint64_t t[4] = {sum->low[0], sum->low[1], sum->low[2], sum->low[3]};
    for (int i = 0; i < 4; i++) {
        const uint64_t m = t[0] * FR_INV;
        zkr_u128 s = (zkr_u128)m * fr_modulus.l[0] + t[0];
        for (int j = 1; j < 4; j++) {
            s = (zkr_u128)m * fr_modulus.l[j] + t[j] + (uint64_t)(s >> 64);
            t[j - 1] = (uint64_t)s;
        }
        t[3] = (uint64_t)(s >> 64);
    }
    const zkr_fe low = {{t[0], t[1], t[2], t[3]}};
    zkr_fe both;
    fr_add_unreduced(&both, &sum->high, &low);
    fr_reduce_once(out, &both);
}

#endif
