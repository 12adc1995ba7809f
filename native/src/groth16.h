/* groth16.h: what the quotient, the sums and the setup share. */
#ifndef ZKR_GROTH16_H
#define ZKR_GROTH16_H

#include "engine.h"

/* base^e */
static inline void zkr_fr_pow(zkr_fe *out, const zkr_fe *base, uint64_t e) {
    zkr_fe power = *base, result = fr_one;
    for (; e != 0; e >>= 1) {
        if (e & 1) fr_mul(&result, &result, &power);
        fr_sqr(&power, &power);
    }
    *out = result;
}

/* out <- the quotient's zkr_groth16_domain(layout) values; layout and witness were checked. */
int zkr_quotient(const zkr_engine *engine, zkr_fe *out, const zkr_layout *layout, const zkr_fe *witness);

#endif
