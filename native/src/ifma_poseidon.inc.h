/* ifma_poseidon.inc.h: Poseidon on eight lanes, up to two groups of eight at a time, so that one
 * group's products fill the other's waiting. Included by kernels_ifma.c.
 *
 * Bounds in units of p (see ifma52.h). A state lane that enters a round is below 20 (16 as loaded,
 * or what is derived below), plus a constant below 1: 21. S-box: 21^2/84 + 1 < 6.3 for the square,
 * 6.3^2/84 + 1 < 1.5 for the fourth power, 1.5 * 21/84 + 1 < 1.4 for the fifth. A row of the matrix:
 * 17 * 1.4/84 + 1 < 1.3. A partial round adds a product below 1.4/84 + 1 < 1.02 to each of lanes 1..,
 * which every 16 rounds are reduced to 1.01: they stay below 1.3 + 16 * 1.02 < 18, and lane 0 is
 * below (1.4 + 16 * 18)/84 + 1 < 4.5. No sum has more than 17 products, far below 400.
 */
#include "poseidon.h"

typedef struct {
    zkr_v52 lane[ZKR_POSEIDON_MAX_T];
} poseidon_state;

ZKR_V52_INLINE void ifma_poseidon_sbox(zkr_v52 *out, const zkr_v52 *a, const uint64_t constant[5]) {
    zkr_v52 k, x, s;
    zkr_v52_broadcast(&k, constant);
    zkr_v52_add(&x, a, &k);
    zkr_v52_sqr(&s, &x, &zkr_f52_fr);
    zkr_v52_sqr(&s, &s, &zkr_f52_fr);
    zkr_v52_mul(out, &x, &s, &zkr_f52_fr);
}

ZKR_V52_INLINE void ifma_poseidon_full_round(poseidon_state *state, const size_t groups, const zkr_poseidon *p,
                                             uint32_t round, size_t matrix, uint32_t rows) {
    const uint32_t t = p->t;
    poseidon_state boxed[2];
    for (uint32_t j = 0; j < t; j++)
        for (size_t g = 0; g < groups; g++)
            ifma_poseidon_sbox(&boxed[g].lane[j], &state[g].lane[j], p->limbs[zkr_poseidon_row(p, round) + j]);
    for (uint32_t i = 0; i < rows; i++) {
        for (size_t g = 0; g < groups; g++) {
            zkr_v52_wide sum;
            zkr_v52_wide_zero(&sum);
            for (uint32_t j = 0; j < t; j++)
                zkr_v52_wide_mac1(&sum, &boxed[g].lane[j], p->limbs[matrix + i * t + j]);
            zkr_v52_wide_reduce(&state[g].lane[i], &sum, NULL, &zkr_f52_fr);
        }
    }
}

ZKR_V52_INLINE void ifma_poseidon_permute(poseidon_state *state, const size_t groups, const zkr_poseidon *p) {
    const uint32_t t = p->t, half = p->full / 2;
    for (uint32_t round = 0; round < half; round++)
        ifma_poseidon_full_round(state, groups, p, round,
                                 round + 1 < half ? zkr_poseidon_mds(p) : zkr_poseidon_entry(p), t);
    for (uint32_t round = 0; round < p->partial; round++) {
        uint64_t(*const c)[5] = &p->limbs[zkr_poseidon_partial(p, round)];
        zkr_v52 x[2];
        for (size_t g = 0; g < groups; g++) ifma_poseidon_sbox(&x[g], &state[g].lane[0], c[0]);
        for (size_t g = 0; g < groups; g++) {
            zkr_v52_wide sum;
            zkr_v52_wide_zero(&sum);
            for (uint32_t j = 1; j < t; j++) zkr_v52_wide_mac1(&sum, &state[g].lane[j], c[1 + j]);
            zkr_v52_wide_mac1(&sum, &x[g], c[1]);
            zkr_v52_wide_reduce(&state[g].lane[0], &sum, NULL, &zkr_f52_fr);
        }
        for (uint32_t j = 1; j < t; j++) {
            for (size_t g = 0; g < groups; g++) {
                zkr_v52_wide product;
                zkr_v52_wide_zero(&product);
                zkr_v52_wide_mac1(&product, &x[g], c[t + j]);
                zkr_v52_wide_reduce(&state[g].lane[j], &product, &state[g].lane[j], &zkr_f52_fr);
                if (round % 16 == 15) zkr_v52_reduce(&state[g].lane[j], &state[g].lane[j], &zkr_f52_fr);
            }
        }
    }
    for (uint32_t round = half; round < p->full; round++)
        ifma_poseidon_full_round(state, groups, p, round, zkr_poseidon_mds(p), round + 1 < p->full ? t : 1);
}

/* Exactly 8 * groups hashes */
ZKR_V52_INLINE void ifma_poseidon_groups(zkr_fe *out, const zkr_fe *inputs, const size_t groups, const zkr_poseidon *p) {
    const uint32_t t = p->t;
    const size_t stride = 4 * (size_t)(t - 1);
    poseidon_state state[2];
    for (size_t g = 0; g < groups; g++) {
        for (int j = 0; j < 5; j++) state[g].lane[0].l[j] = _mm512_setzero_si512();
        for (uint32_t j = 1; j < t; j++) {
            __m512i w[4];
            zkr_v52_load_words_strided(w, inputs[8 * g * (t - 1) + j - 1].l, stride);
            zkr_v52_split(&state[g].lane[j], w, 4);
        }
    }
    ifma_poseidon_permute(state, groups, p);
    for (size_t g = 0; g < groups; g++) {
        __m512i w[4];
        zkr_v52 x;
        zkr_v52_to_mont256(&x, &state[g].lane[0], &zkr_f52_fr);
        zkr_v52_join(w, &x);
        zkr_v52_store_words(out[8 * g].l, w);
    }
}

static __attribute__((noinline)) void ifma_poseidon_8(zkr_fe *out, const zkr_fe *inputs, const zkr_poseidon *p) {
    ifma_poseidon_groups(out, inputs, 1, p);
}

static __attribute__((noinline)) void ifma_poseidon_16(zkr_fe *out, const zkr_fe *inputs, const zkr_poseidon *p) {
    ifma_poseidon_groups(out, inputs, 2, p);
}

/* Lanes left over hash zeros. */
static void ifma_poseidon_kernel(zkr_fe *out, const zkr_fe *inputs, size_t n, const zkr_poseidon *p) {
    const size_t arity = p->t - 1;
    while (n >= 16) {
        ifma_poseidon_16(out, inputs, p);
        out += 16, inputs += 16 * arity, n -= 16;
    }
    while (n > 0) {
        zkr_fe last[8], padded[8 * (ZKR_POSEIDON_MAX_T - 1)];
        if (n >= 8) {
            ifma_poseidon_8(out, inputs, p);
            out += 8, inputs += 8 * arity, n -= 8;
            continue;
        }
        memset(padded, 0, sizeof padded);
        memcpy(padded, inputs, n * arity * sizeof(zkr_fe));
        ifma_poseidon_8(last, padded, p);
        memcpy(out, last, n * sizeof(zkr_fe));
        return;
    }
}
