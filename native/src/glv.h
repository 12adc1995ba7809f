/* glv.h: a scalar as two of half the length (Gallant, Lambert, Vanstone, CRYPTO 2001), in signed digits.
 *
 * Knows no point. Time and memory accesses depend on no scalar. */
#ifndef ZKR_GLV_H
#define ZKR_GLV_H

#include "field.h"
#include "glv_constants.h"

/* Windows of four bits: digits -8 .. 8 */
#define ZKR_GLV_WINDOWS 32

typedef unsigned __int128 zkr_glv_half;

/* bits 320 .. 447 of k g, for k < r; the product is below 2^448 */
static inline zkr_glv_half zkr_glv_high(const zkr_fe *k, const uint64_t g[4]) {
    uint64_t t[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            const zkr_u128 s = (zkr_u128)k->l[i] * g[j] + t[i + j] + carry;
            t[i + j] = (uint64_t)s;
            carry = (uint64_t)(s >> 64);
        }
        t[i + 4] = carry;
    }
    return (zkr_glv_half)t[6] << 64 | t[5];
}

/* |half| < 2^127 to digits of 4 bits, |digit| <= 8, the sign given */
static inline void zkr_glv_digits(int8_t *digits, size_t step, zkr_glv_half half, uint64_t negative) {
    const uint64_t eights = 0x8888888888888888u;
    half += (zkr_glv_half)(eights & (UINT64_MAX >> 4)) << 64 | eights;
    for (unsigned w = 0; w < ZKR_GLV_WINDOWS; w++) {
        const int digit = (int)(half & 15) - (w + 1 < ZKR_GLV_WINDOWS ? 8 : 0), sign = -(int)negative;
        digits[w * step] = (int8_t)((digit ^ sign) - sign);
        half >>= 4;
    }
}

/* k = sum over w of 16^w (digits[w step] + lambda digits[(32 + w) step]) mod r, for k < r. With c1 and c2
 * the rounded-down coordinates of (k, 0) over v1 and v2, (k, 0) - c1 v1 - c2 v2 = (k1, k2) is e1 v1 + e2 v2
 * with e1, e2 in [0, 1 + 2^-66): 0 <= k1 < 2^127 and -2^127 < k2 < 2^127, so arithmetic modulo 2^128
 * tells them. k < 2^126 has k1 = k, k2 = 0. */
static inline void zkr_glv_split(int8_t *digits, size_t step, const zkr_fe *k) {
    const zkr_glv_half c1 = zkr_glv_high(k, glv_first), c2 = zkr_glv_high(k, glv_second);
    const zkr_glv_half whole = (zkr_glv_half)k->l[1] << 64 | k->l[0];
    const zkr_glv_half a = (zkr_glv_half)glv_long[1] << 64 | glv_long[0], b = (zkr_glv_half)glv_other[1] << 64 | glv_other[0];
    const zkr_glv_half k1 = whole - c1 * a - c2 * glv_short[0];
    zkr_glv_half k2 = c2 * b - c1 * glv_short[0];
    const uint64_t negative = (uint64_t)(k2 >> 127);
    const zkr_glv_half mask = (zkr_glv_half)0 - negative;
    k2 = (k2 ^ mask) - mask;
    zkr_glv_digits(digits, step, k1, 0);
    zkr_glv_digits(digits + ZKR_GLV_WINDOWS * step, step, k2, negative);
}

#endif
