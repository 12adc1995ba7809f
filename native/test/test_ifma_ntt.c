/* test_ifma_ntt.c: transforms on eight lanes against the generic path, for every size of two passes
 * that is quick under sanitizers, on random vectors and on those that drive the bounds. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "ifma_ntt.h"
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

int main(void) {
    if (zkr_cpu_available("ifma") != ZKR_OK) {
        puts("test_ifma_ntt: skipped, no AVX-512 IFMA here");
        return 0;
    }
    CHECK(zkr_engine_new(&plain, "portable", 1) == ZKR_OK);
    CHECK(zkr_engine_new(&fast[0], "ifma", 1) == ZKR_OK);
    CHECK(zkr_engine_new(&fast[1], "ifma", 3) == ZKR_OK);
    RUN(transforms_agree_with_the_generic_path);
    RUN(quotients_agree_with_transforms_one_by_one);
    zkr_engine_free(plain);
    zkr_engine_free(fast[0]);
    zkr_engine_free(fast[1]);
    return 0;
}
