/* poseidon.inc.h: Poseidon on one lane at a time, included once per 64-bit instruction set. */
#include "fr_sum.h"
#include "poseidon.h"

ZKR_INLINE void poseidon_sbox(zkr_fe *x) {
    zkr_fe s;
    fr_sqr(&s, x);
    fr_sqr(&s, &s);
    fr_mul(x, x, &s);
}

#if defined(ZKR_FIELD_ADX)
/* A compiler's wide products and one reduction take longer than scheduled products reduced each. */
typedef zkr_fe poseidon_sum;

ZKR_INLINE void poseidon_add_product(poseidon_sum *sum, const zkr_fe *a, const zkr_fe *b, uint32_t j) {
    zkr_fe term;
    fr_mul(j == 0 ? sum : &term, a, b);
    if (j != 0) fr_add(sum, sum, &term);
}

ZKR_INLINE void poseidon_sum_reduce(zkr_fe *out, poseidon_sum *sum) { *out = *sum; }
#else
typedef fr_sum poseidon_sum;

/* the j-th product of a sum */
ZKR_INLINE void poseidon_add_product(poseidon_sum *sum, const zkr_fe *a, const zkr_fe *b, uint32_t j) {
    fr_sum_add_product_lazy(sum, a, b);
    if (j % 4 == 3) fr_sum_settle(sum); /* five are allowed */
}

ZKR_INLINE void poseidon_sum_reduce(zkr_fe *out, poseidon_sum *sum) {
    fr_sum_settle(sum);
    fr_sum_reduce(out, sum);
}
#endif

static const poseidon_sum poseidon_nothing; /* zero */

ZKR_INLINE void poseidon_dot(zkr_fe *out, const zkr_fe *row, const zkr_fe *state, uint32_t n) {
    poseidon_sum sum = poseidon_nothing;
    for (uint32_t j = 0; j < n; j++) poseidon_add_product(&sum, &row[j], &state[j], j);
    poseidon_sum_reduce(out, &sum);
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
            zkr_fe x, term;
            poseidon_sum sum = poseidon_nothing;
            for (uint32_t j = 1; j < t; j++) /* waits for no S-box */
                poseidon_add_product(&sum, &c[j + 1], &state[j], j - 1);
            fr_add(&x, &state[0], &c[0]);
            poseidon_sbox(&x);
            poseidon_add_product(&sum, &c[1], &x, t - 1);
            poseidon_sum_reduce(&state[0], &sum);
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
