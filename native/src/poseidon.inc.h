/* poseidon.inc.h: Poseidon on one lane at a time, included once per 64-bit instruction set. */
#include "poseidon.h"

ZKR_INLINE void poseidon_sbox(zkr_fe *x) {
    zkr_fe s;
    fr_sqr(&s, x);
    fr_sqr(&s, &s);
    fr_mul(x, x, &s);
}

/* sum of n products */
ZKR_INLINE void poseidon_dot(zkr_fe *out, const zkr_fe *row, const zkr_fe *state, uint32_t n) {
    zkr_fe sum, term;
    fr_mul(&sum, &row[0], &state[0]);
    for (uint32_t j = 1; j < n; j++) {
        fr_mul(&term, &row[j], &state[j]);
        fr_add(&sum, &sum, &term);
    }
    *out = sum;
}

static void poseidon_full_round(zkr_fe *state, const zkr_poseidon *p, uint32_t round, size_t matrix, uint32_t rows) {
    const uint32_t t = p->t;
    zkr_fe boxed[ZKR_POSEIDON_MAX_T];
    for (uint32_t j = 0; j < t; j++) {
        fr_add(&boxed[j], &state[j], &p->constants[zkr_poseidon_row(p, round) + j]);
        poseidon_sbox(&boxed[j]);
    }
    for (uint32_t i = 0; i < rows; i++) poseidon_dot(&state[i], &p->constants[matrix + i * t], boxed, t);
}

static void poseidon_kernel(zkr_fe *out, const zkr_fe *inputs, size_t n, const zkr_poseidon *p) {
    const uint32_t t = p->t, half = p->full / 2;
    for (size_t h = 0; h < n; h++) {
        zkr_fe state[ZKR_POSEIDON_MAX_T] = {{{0, 0, 0, 0}}};
        for (uint32_t j = 1; j < t; j++) state[j] = inputs[h * (t - 1) + j - 1];
        for (uint32_t round = 0; round < half; round++)
            poseidon_full_round(state, p, round, round + 1 < half ? zkr_poseidon_mds(p) : zkr_poseidon_entry(p), t);
        for (uint32_t round = 0; round < p->partial; round++) {
            const zkr_fe *c = &p->constants[zkr_poseidon_partial(p, round)];
            zkr_fe x, sum, term;
            poseidon_dot(&sum, &c[2], &state[1], t - 1); /* does not wait for the S-box */
            fr_add(&x, &state[0], &c[0]);
            poseidon_sbox(&x);
            fr_mul(&term, &c[1], &x);
            fr_add(&state[0], &sum, &term);
            for (uint32_t j = 1; j < t; j++) {
                fr_mul(&term, &c[t + j], &x);
                fr_add(&state[j], &state[j], &term);
            }
        }
        for (uint32_t round = half; round < p->full; round++)
            poseidon_full_round(state, p, round, zkr_poseidon_mds(p), round + 1 < p->full ? t : 1);
        out[h] = state[0];
    }
}

static void fill_poseidon(zkr_kernels *k) { k->poseidon = poseidon_kernel; }
