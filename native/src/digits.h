/* digits.h: scalars cut into signed digits of c bits, as MSM and fixed-base multiplication use them. */
#ifndef ZKR_DIGITS_H
#define ZKR_DIGITS_H

#include <string.h>

#include "field.h"

/* k or r - k, whichever is at most (r-1)/2; true when it was negated */
static inline bool halve_range(zkr_fe *k) {
    static const zkr_fe half = ZKR_LIMBS(FR_HALF);
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) (void)zkr_sbb(half.l[i], k->l[i], &borrow);
    if (borrow == 0) return false;
    borrow = 0;
    for (int i = 0; i < 4; i++) k->l[i] = zkr_sbb(fr_modulus.l[i], k->l[i], &borrow);
    return true;
}

/* Windows of c bits over integers of at most 253 bits; the top digit is unsigned, and since
 * c * num_windows >= 254 it is at most 2^(c-1). */
static inline unsigned num_windows(unsigned c) { return (254 + c - 1) / c; }

/* The addend that turns signed recoding into cutting: digit w of k is window w of k + bias, less
 * 2^(c-1), for every window but the top one. */
static inline void digit_bias(zkr_fe *bias, unsigned c) {
    memset(bias, 0, sizeof *bias);
    for (unsigned w = 0; w + 1 < num_windows(c); w++) {
        const unsigned bit = w * c + c - 1;
        bias->l[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
}

/* Window w of k, c bits */
static inline uint32_t window_of(const zkr_fe *k, unsigned w, unsigned c) {
    const unsigned bit = w * c, limb = bit / 64, shift = bit % 64;
    if (limb >= 4) return 0;
    uint64_t v = k->l[limb] >> shift;
    if (shift + c > 64 && limb < 3) v |= k->l[limb + 1] << (64 - shift);
    return (uint32_t)(v & (((uint64_t)1 << c) - 1));
}

/* |digit| from its stored form, digit + zero */
static inline uint32_t magnitude(uint32_t stored, uint32_t zero) {
    return stored >= zero ? stored - zero : zero - stored;
}

#endif
