/* test_poseidon.c: the optimised permutation on every path against the plain one, and refusals. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "field.h"
#include "zkr.h"

#define MAX_T 17
#define MAX_HASHES 40

static zkr_fe element(void) {
    zkr_fe x = {{0, 0, 0, 0}};
    if (random64() % 6 == 0) return x;
    if (random64() % 6 == 0) {
        x = fr_modulus;
        x.l[0]--;
        return x;
    }
    for (int i = 0; i < 4; i++) x.l[i] = random64();
    x.l[3] %= fr_modulus.l[3];
    return x;
}

/* canonical constants, Cauchy matrix; Montgomery twins for the plain permutation */
typedef struct {
    uint32_t t, full, partial;
    zkr_fe *constants, *constants_mont, mds[MAX_T * MAX_T], mds_mont[MAX_T * MAX_T];
} parameters;

static void make(parameters *p, uint32_t t, uint32_t full, uint32_t partial) {
    const size_t n = (size_t)(full + partial) * t;
    *p = (parameters){.t = t, .full = full, .partial = partial};
    p->constants = malloc(n * sizeof(zkr_fe));
    p->constants_mont = malloc(n * sizeof(zkr_fe));
    CHECK(p->constants != NULL && p->constants_mont != NULL);
    for (size_t i = 0; i < n; i++) {
        p->constants[i] = element();
        fr_to_mont(&p->constants_mont[i], &p->constants[i]);
    }
    for (uint32_t i = 0; i < t; i++) {
        for (uint32_t j = 0; j < t; j++) {
            zkr_fe sum;
            fr_from_u64(&sum, 1 + i + t + j);
            fr_inv(&p->mds_mont[i * t + j], &sum);
            fr_from_mont(&p->mds[i * t + j], &p->mds_mont[i * t + j]);
        }
    }
}

static void unmake(parameters *p) {
    free(p->constants);
    free(p->constants_mont);
}

static zkr_fe plain(const parameters *p, const zkr_fe *inputs) {
    zkr_fe state[MAX_T], next[MAX_T], term;
    memset(state, 0, sizeof state);
    memcpy(state + 1, inputs, (p->t - 1) * sizeof(zkr_fe));
    for (uint32_t round = 0; round < p->full + p->partial; round++) {
        const bool is_partial = round >= p->full / 2 && round < p->full / 2 + p->partial;
        for (uint32_t i = 0; i < p->t; i++) {
            fr_add(&state[i], &state[i], &p->constants_mont[round * p->t + i]);
            if (is_partial && i > 0) continue;
            const zkr_fe x = state[i];
            for (int k = 0; k < 4; k++) fr_mul(&state[i], &state[i], &x);
        }
        for (uint32_t i = 0; i < p->t; i++) {
            memset(&next[i], 0, sizeof next[i]);
            for (uint32_t j = 0; j < p->t; j++) {
                fr_mul(&term, &p->mds_mont[i * p->t + j], &state[j]);
                fr_add(&next[i], &next[i], &term);
            }
        }
        memcpy(state, next, sizeof state);
    }
    return state[0];
}

static void all_paths_agree(uint32_t t, uint32_t full, uint32_t partial) {
    static const char *const paths[] = {"portable", "adx", "ifma"};
    parameters p;
    make(&p, t, full, partial);
    zkr_poseidon *prepared;
    size_t bad;
    CHECK(zkr_poseidon_new(&prepared, t, full, partial, p.constants[0].l, p.mds[0].l, &bad) == ZKR_OK);
    for (int i = 0; i < 3; i++) {
        if (zkr_cpu_available(paths[i]) != ZKR_OK) continue;
        zkr_engine *engine;
        CHECK(zkr_engine_new(&engine, paths[i], 2) == ZKR_OK);
        const size_t sizes[] = {1, 7, 8, 17, MAX_HASHES};
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const size_t n = sizes[s]; /* exact allocations, so that a sanitizer sees a step beyond */
            zkr_fe *inputs = malloc(n * (t - 1) * sizeof(zkr_fe)), *out = malloc(n * sizeof(zkr_fe));
            CHECK(inputs != NULL && out != NULL);
            for (size_t k = 0; k < n * (t - 1); k++) inputs[k] = element();
            CHECK(zkr_poseidon_hash(engine, prepared, out[0].l, inputs[0].l, n, &bad) == ZKR_OK);
            for (size_t k = 0; k < n; k++) {
                const zkr_fe want = plain(&p, &inputs[k * (t - 1)]);
                CHECK(zkr_fe_eq(&out[k], &want));
            }
            inputs[n * (t - 1) - 1] = fr_modulus;
            CHECK(zkr_poseidon_hash(engine, prepared, out[0].l, inputs[0].l, n, &bad) == ZKR_NOTCANONICAL);
            CHECK(bad == n * (t - 1) - 1);
            free(inputs);
            free(out);
        }
        zkr_engine_free(engine);
    }
    zkr_poseidon_free(prepared);
    unmake(&p);
}

static void wrong_arguments_give_a_status(void) {
    parameters p;
    make(&p, 3, 8, 5);
    const uint64_t *c = p.constants[0].l, *m = p.mds[0].l;
    zkr_poseidon *prepared = NULL;
    size_t bad;
    CHECK(zkr_poseidon_new(NULL, 3, 8, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 1, 8, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 18, 8, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 7, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 0, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 1026, 5, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 1025, c, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, NULL, m, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, c, NULL, &bad) == ZKR_BADARGS);
    const zkr_fe kept = p.constants[38];
    p.constants[38] = fr_modulus;
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, c, m, &bad) == ZKR_NOTCANONICAL && bad == 38);
    p.constants[38] = kept;
    p.mds[8] = fr_modulus;
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, c, m, &bad) == ZKR_NOTCANONICAL && bad == 39 + 8);
    memset(p.mds, 0, sizeof p.mds);
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, c, m, NULL) == ZKR_UNSUPPORTED);
    CHECK(prepared == NULL);
    zkr_poseidon_free(NULL);
    unmake(&p);
    make(&p, 3, 8, 5);
    CHECK(zkr_poseidon_new(&prepared, 3, 8, 5, p.constants[0].l, m, NULL) == ZKR_OK);
    zkr_engine *engine;
    CHECK(zkr_engine_new(&engine, "", 1) == ZKR_OK);
    uint64_t words[8] = {0};
    CHECK(zkr_poseidon_hash(NULL, prepared, words, words, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_hash(engine, NULL, words, words, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_hash(engine, prepared, NULL, words, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_hash(engine, prepared, words, NULL, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_hash(engine, prepared, words, words, SIZE_MAX / 64, &bad) == ZKR_BADARGS);
    CHECK(zkr_poseidon_hash(engine, prepared, NULL, NULL, 0, &bad) == ZKR_OK);
    zkr_engine_free(engine);
    zkr_poseidon_free(prepared);
    unmake(&p);
}

static void every_width_agrees_with_the_plain_permutation(void) {
    for (uint32_t t = 2; t <= MAX_T; t++) all_paths_agree(t, 8, 20);
}

static void few_and_many_rounds_agree_with_the_plain_permutation(void) {
    all_paths_agree(3, 2, 0);
    all_paths_agree(4, 4, 130);
}

int main(void) {
    RUN(every_width_agrees_with_the_plain_permutation);
    RUN(few_and_many_rounds_agree_with_the_plain_permutation);
    RUN(wrong_arguments_give_a_status);
    return 0;
}
