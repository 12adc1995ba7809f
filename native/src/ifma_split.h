/* ifma_split.h: constants for the kernels in radix 2^52, made by code that runs on any machine. */
#ifndef ZKR_IFMA_SPLIT_H
#define ZKR_IFMA_SPLIT_H

#include "field.h"

/* A value below 2^256 in limbs of 52 bits, and back (limbs tidy, the top one below 2^48) */
ZKR_INLINE void zkr_split52(uint64_t out[5], const uint64_t w[4]) {
    const uint64_t mask = 0xfffffffffffffULL;
    out[0] = w[0] & mask;
    out[1] = (w[0] >> 52 | w[1] << 12) & mask;
    out[2] = (w[1] >> 40 | w[2] << 24) & mask;
    out[3] = (w[2] >> 28 | w[3] << 36) & mask;
    out[4] = w[3] >> 16;
}

ZKR_INLINE void zkr_join52(uint64_t w[4], const uint64_t limbs[5]) {
    w[0] = limbs[0] | limbs[1] << 52;
    w[1] = limbs[1] >> 12 | limbs[2] << 40;
    w[2] = limbs[2] >> 24 | limbs[3] << 28;
    w[3] = limbs[3] >> 36 | limbs[4] << 16;
}

/* x * 2^256 mod r -> x * 2^260 mod r in limbs of 52 bits */
ZKR_INLINE void zkr_fr_split52_mont(uint64_t out[5], const zkr_fe *a) {
    zkr_fe x = *a;
    for (int i = 0; i < 4; i++) fr_dbl(&x, &x);
    zkr_split52(out, x.l);
}

#endif
