/* test_ifma_ntt.c: transforms on eight lanes against the generic path, for every size of two passes
 * that is quick under sanitizers, on random and on extreme vectors; and the kernels' parts at the bounds that
 * their comments claim. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512ifma,bmi2,adx")
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "ifma52.h"
#include "ifma_ntt.h"
#include "ifma_ntt.inc.h"
#include "ntt.h"
#include "zkr.h"

#define MOST 13

static zkr_engine *fast[2], *plain;

enum { RANDOM, ZERO, ALL_LARGEST, LARGEST_AND_ZERO, ONE_LARGEST, NUM_FILLS };

static void fill(zkr_fe *x, size_t n, unsigned how) {
    const zkr_fe zero = {{0, 0, 0, 0}};
    zkr_fe largest = fr_modulus;
    largest.l[0]--;
    for (size_t i = 0; i < n; i++) {
        x[i] = zero;
        switch (how) {
        case RANDOM:
            for (int j = 0; j < 4; j++) x[i].l[j] = random64();
            x[i].l[3] %= fr_modulus.l[3];
            break;
        case ZERO: break;
        case ALL_LARGEST: x[i] = largest; break;
        case LARGEST_AND_ZERO: x[i] = random64() % 2 ? largest : zero; break;
        default: x[i] = i == n / 3 ? largest : zero;
        }
    }
}

static zkr_fe *vector(size_t n) {
    zkr_fe *x = malloc(n * sizeof *x);
    CHECK(x != NULL);
    return x;
}

static void transforms_agree_with_the_generic_path(void) {
    for (unsigned log_n = 0; log_n <= MOST; log_n++) {
        const size_t n = (size_t)1 << log_n;
        zkr_fe *a = vector(n), *want = vector(n), *got = vector(n), *scratch = vector(n);
        for (unsigned how = 0; how < NUM_FILLS; how++) {
            fill(a, n, how);
            for (int kind = 0; kind < 4; kind++) {
                const bool inverse = kind & 1, coset = kind & 2;
                int (*const run)(const zkr_engine *, zkr_fe *, const zkr_fe *, unsigned, bool, zkr_fe *) =
                    inverse ? zkr_ntt_inverse : zkr_ntt_forward;
                CHECK(run(plain, want, a, log_n, coset, NULL) == ZKR_OK);
                for (int e = 0; e < 2; e++) {
                    CHECK(run(fast[e], got, a, log_n, coset, scratch) == ZKR_OK);
                    CHECK(memcmp(got, want, n * sizeof *got) == 0);
                }
                memcpy(got, a, n * sizeof *got); /* in place, with memory of its own */
                CHECK(run(fast[1], got, got, log_n, coset, NULL) == ZKR_OK);
                CHECK(memcmp(got, want, n * sizeof *got) == 0);
            }
        }
        free(a), free(want), free(got), free(scratch);
    }
}

/* A B - C at the odd powers, from transforms of the generic path and one product at a time */
static void quotient_by_parts(zkr_fe *a, zkr_fe *b, zkr_fe *c, unsigned log_n) {
    const size_t n = (size_t)1 << log_n;
    for (size_t i = 0; i < n; i++) fr_mul(&c[i], &a[i], &b[i]);
    zkr_fe *const all[3] = {a, b, c};
    for (int v = 0; v < 3; v++) {
        CHECK(zkr_ntt_inverse(plain, all[v], all[v], log_n, false, NULL) == ZKR_OK);
        CHECK(zkr_ntt_forward(plain, all[v], all[v], log_n, true, NULL) == ZKR_OK);
    }
    for (size_t i = 0; i < n; i++) {
        fr_mul(&a[i], &a[i], &b[i]);
        fr_sub(&a[i], &a[i], &c[i]);
    }
}

static void quotients_agree_with_transforms_one_by_one(void) {
    for (unsigned log_n = ZKR_NTT8_LEAST; log_n <= MOST; log_n++) {
        const size_t n = (size_t)1 << log_n;
        zkr_fe *x[2][3];
        for (int v = 0; v < 3; v++) x[0][v] = vector(n), x[1][v] = vector(n);
        for (unsigned how = 0; how < NUM_FILLS; how++) {
            for (int e = 0; e < 2; e++) {
                fill(x[0][0], n, how);
                fill(x[0][1], n, e ? RANDOM : how);
                memcpy(x[1][0], x[0][0], n * sizeof(zkr_fe));
                memcpy(x[1][1], x[0][1], n * sizeof(zkr_fe));
                quotient_by_parts(x[0][0], x[0][1], x[0][2], log_n);
                CHECK(zkr_ntt8_quotient(fast[e], x[1][0], x[1][1], x[1][2], log_n) == ZKR_OK);
                CHECK(memcmp(x[0][0], x[1][0], n * sizeof(zkr_fe)) == 0);
            }
        }
        for (int v = 0; v < 3; v++) free(x[0][v]), free(x[1][v]);
    }
}

/* every lane's value below multiple r */
static void expect_below(const zkr_v52 *x, uint64_t multiple) {
    uint64_t limit[5], carry = 0;
    for (int j = 0; j < 5; j++) {
        const zkr_u128 t = (zkr_u128)zkr_f52_fr.p[j] * multiple + carry;
        limit[j] = (uint64_t)t & ZKR_V52_MASK;
        carry = (uint64_t)(t >> 52);
    }
    CHECK(carry == 0);
    uint64_t limbs[5][8];
    for (int j = 0; j < 5; j++) _mm512_storeu_si512((void *)limbs[j], x->l[j]);
    for (int l = 0; l < 8; l++) {
        int j = 4;
        while (j > 0 && limbs[j][l] == limit[j]) j--;
        CHECK(limbs[j][l] < limit[j]);
        for (j = 0; j < 5; j++) CHECK(limbs[j][l] >> 52 == 0);
    }
}

/* tidy, below 2^bits in every lane: the largest, or anything; bits is 256 or 260 */
static void any_value(zkr_v52 *out, int bits, bool largest) {
    uint64_t limbs[5][8];
    for (int l = 0; l < 8; l++)
        for (int j = 0; j < 5; j++) limbs[j][l] = (largest ? UINT64_MAX : random64()) >> (j < 4 ? 12 : 272 - bits);
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_loadu_si512((const void *)limbs[j]);
}

static void known_factor(zkr_ntt8_factor *out, const zkr_fe *w) { /* Montgomery */
    zkr_fe all[8];
    zkr_v52 x;
    ntt8_factors factors;
    for (int l = 0; l < 8; l++) all[l] = *w;
    ntt8_load(&x, all, 4);
    ntt8_factors_of(&factors, &x);
    for (int j = 0; j < 5; j++) {
        out->w[j] = factors.w[8 * j];
        out->q[j] = factors.q[8 * j];
    }
}

static void any_factor(zkr_ntt8_factor *out, zkr_fe *w) { /* w canonical */
    zkr_fe mont;
    fill(w, 1, random64() % 4 ? RANDOM : random64() % 2 ? ALL_LARGEST : ZERO);
    fr_to_mont(&mont, w);
    known_factor(out, &mont);
}

static void products_by_known_factors_stay_below_their_bound(void) {
    for (int round = 0; round < 3000; round++) {
        zkr_ntt8_factor factor;
        zkr_v52 a, x, got;
        zkr_fe w, value[8], result[8], want;
        __m512i words[4];
        any_factor(&factor, &w);
        any_value(&a, 260, round % 3 == 0);
        ntt8_shoup(&got, &a, &factor);
        ntt8_tidy(&got);
        expect_below(&got, 11);
        zkr_v52_canonical(&x, &a, &zkr_f52_fr);
        zkr_v52_join(words, &x);
        zkr_v52_store_words(value[0].l, words);
        zkr_v52_canonical(&x, &got, &zkr_f52_fr);
        zkr_v52_join(words, &x);
        zkr_v52_store_words(result[0].l, words);
        for (int l = 0; l < 8; l++) {
            fr_to_mont(&want, &value[l]);
            fr_mul(&want, &want, &w); /* a w, canonical */
            CHECK(zkr_fe_eq(&want, &result[l]));
        }
    }
}

static void transforms_of_the_largest_values_stay_below_33(void) {
    for (unsigned log_n = 3; log_n <= 8; log_n++) {
        const size_t n = (size_t)1 << log_n;
        zkr_ntt8_table *t = malloc(sizeof *t + n / 3 * sizeof t->nodes[0]);
        zkr_v52 *x = aligned_alloc(64, n * sizeof *x);
        CHECK(t != NULL && x != NULL);
        for (int round = 0; round < 24; round++) {
            zkr_fe w;
            t->log_n = log_n;
            t->plain = round & 1;
            any_factor(&t->quarter, &w);
            for (size_t i = 0; i < n / 3; i++)
                for (int j = 0; j < 3; j++) any_factor(&t->nodes[i][j], &w);
            const bool down = round & 2;
            for (size_t i = 0; i < n; i++) {
                any_value(&x[i], t->plain || log_n % 2 != 0 ? 256 : 260, round < 12 || random64() % 2 != 0);
            }
            (down ? ntt8_down : ntt8_up)(x, t);
            for (size_t i = 0; i < n; i++) expect_below(&x[i], 33);
        }
        free(t), free(x);
    }
}

int main(void) {
    if (zkr_cpu_available("ifma") != ZKR_OK) {
        puts("test_ifma_ntt: skipped, no AVX-512 IFMA here");
        return 0;
    }
    CHECK(zkr_engine_new(&plain, "portable", 1) == ZKR_OK);
    CHECK(zkr_engine_new(&fast[0], "ifma", 1) == ZKR_OK);
    CHECK(zkr_engine_new(&fast[1], "ifma", 3) == ZKR_OK);
    (void)ntt8_down_twist_kernel, (void)ntt8_twist_up_kernel, (void)ntt8_rows_both_kernel; /* by the table */
    RUN(products_by_known_factors_stay_below_their_bound);
    RUN(transforms_of_the_largest_values_stay_below_33);
    RUN(transforms_agree_with_the_generic_path);
    RUN(quotients_agree_with_transforms_one_by_one);
    zkr_engine_free(plain);
    zkr_engine_free(fast[0]);
    zkr_engine_free(fast[1]);
    return 0;
}
#else
#include <stdio.h>
int main(void) {
    puts("test_ifma_ntt: skipped, not x86-64");
    return 0;
}
#endif
