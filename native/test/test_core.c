/* test_core.c: the core through its ABI and its internal headers, for every path of this machine.
 * Names are sentences; run under AddressSanitizer and UBSan by run_sanitizers.sh. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "curve.h"
#include "engine.h"
#include "msm.h"
#include "ntt.h"
#include "zkr.h"

static const char *const paths[] = {"portable", "adx", "ifma"};
static zkr_engine *engines[6];
static size_t num_engines;

static zkr_fe random_fe(void) {
    zkr_fe x = {{random64(), random64(), random64(), random64() >> 3}};
    return x;
}

static zkr_fe *random_vector(size_t n) {
    zkr_fe *v = malloc(n * sizeof *v + 1);
    CHECK(v != NULL);
    for (size_t i = 0; i < n; i++) v[i] = random_fe();
    return v;
}

static bool same(const void *a, const void *b, size_t size) { return memcmp(a, b, size) == 0; }

static void field_elements_satisfy_the_axioms(void) {
    for (int i = 0; i < 2000; i++) {
        zkr_fe a = random_fe(), b = random_fe(), c = random_fe(), t, u, v;
        fq_add(&t, &a, &b);
        fq_sub(&u, &t, &b);
        CHECK(fq_eq(&u, &a) && fq_is_canonical(&t));
        fq_neg(&u, &a);
        fq_add(&u, &u, &a);
        CHECK(fq_is_zero(&u));
        fq_mul(&t, &a, &b);
        fq_mul(&t, &t, &c);
        fq_mul(&u, &b, &c);
        fq_mul(&u, &u, &a);
        CHECK(fq_eq(&t, &u) && fq_is_canonical(&t));
        fq_add(&t, &b, &c);
        fq_mul(&t, &a, &t);
        fq_mul(&u, &a, &b);
        fq_mul(&v, &a, &c);
        fq_add(&u, &u, &v);
        CHECK(fq_eq(&t, &u));
    }
    zkr_fe a = random_fe(), i, one;
    fr_inv(&i, &a);
    fr_mul(&one, &a, &i);
    CHECK(fr_eq(&one, &fr_one));
    fr_inv(&i, &fr_zero);
    CHECK(fr_is_zero(&i));
}

static void quadratic_extension_inverts_and_multiplies_consistently(void) {
    for (int k = 0; k < 200; k++) {
        zkr_fe2 a = {random_fe(), random_fe()}, b = {random_fe(), random_fe()}, s, t, u;
        fq2_add(&s, &a, &b);
        fq2_sqr(&s, &s); /* (a + b)^2 = a^2 + 2ab + b^2 */
        fq2_sqr(&t, &a);
        fq2_mul(&u, &a, &b);
        fq2_dbl(&u, &u);
        fq2_add(&t, &t, &u);
        fq2_sqr(&u, &b);
        fq2_add(&t, &t, &u);
        CHECK(fq2_eq(&s, &t));
        fq2_inv(&t, &a);
        fq2_mul(&t, &t, &a);
        CHECK(fq2_eq(&t, &fq2_one));
    }
    zkr_fe2 z = fq2_zero;
    fq2_inv(&z, &z);
    CHECK(fq2_is_zero(&z));
}

static void all_paths_and_thread_counts_agree_on_vectors(void) {
    const size_t sizes[] = {0, 1, 7, 8, 9, 63, 2048, 2049, 10007};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const size_t n = sizes[s], bytes = n * sizeof(zkr_fe);
        zkr_fe *a = random_vector(n), *b = random_vector(n), *expected = random_vector(n), *out = random_vector(n);
        if (n > 3) a[3] = fr_zero;
        for (int op = 0; op < 8; op++) {
            for (size_t e = 0; e < num_engines; e++) {
                const zkr_engine *engine = engines[e];
                uint64_t *to = (uint64_t *)(e == 0 ? expected : out), *x = (uint64_t *)a, *y = (uint64_t *)b;
                int status = ZKR_INTERNAL;
                switch (op) {
                case 0: status = zkr_fr_mul(engine, to, x, y, n, NULL); break;
                case 1: status = zkr_fr_add(engine, to, x, y, n, NULL); break;
                case 2: status = zkr_fr_sub(engine, to, x, y, n, NULL); break;
                case 3: status = zkr_fr_inverse(engine, to, x, n, NULL); break;
                case 4: status = zkr_fq_mul(engine, to, x, y, n, NULL); break;
                case 5: status = zkr_fq_inverse(engine, to, x, n, NULL); break;
                case 6: status = zkr_fr_to_mont(engine, to, x, n, NULL); break;
                case 7: status = zkr_fr_from_mont(engine, to, x, n, NULL); break;
                }
                CHECK(status == ZKR_OK);
                CHECK(e == 0 || same(out, expected, bytes));
            }
        }
        free(a);
        free(b);
        free(expected);
        free(out);
    }
}

static void operations_in_place_give_the_same(void) {
    const size_t n = 5000, bytes = n * sizeof(zkr_fe);
    for (size_t e = 0; e < num_engines; e++) {
        zkr_fe *a = random_vector(n), *b = random_vector(n), *out = random_vector(n), *work = random_vector(n);
        CHECK(zkr_fr_mul(engines[e], (uint64_t *)out, (uint64_t *)a, (uint64_t *)b, n, NULL) == ZKR_OK);
        memcpy(work, b, bytes);
        CHECK(zkr_fr_mul(engines[e], (uint64_t *)work, (uint64_t *)a, (uint64_t *)work, n, NULL) == ZKR_OK);
        CHECK(same(work, out, bytes));
        CHECK(zkr_fr_inverse(engines[e], (uint64_t *)out, (uint64_t *)a, n, NULL) == ZKR_OK);
        CHECK(zkr_fr_inverse(engines[e], (uint64_t *)a, (uint64_t *)a, n, NULL) == ZKR_OK);
        CHECK(same(a, out, bytes));
        CHECK(zkr_ntt_forward(engines[e], out, b, 12, true, NULL) == ZKR_OK);
        CHECK(zkr_ntt_forward(engines[e], b, b, 12, true, work) == ZKR_OK);
        CHECK(same(b, out, (size_t)4096 * sizeof(zkr_fe)));
        free(a);
        free(b);
        free(out);
        free(work);
    }
}

static void elements_that_are_not_reduced_are_named_by_index(void) {
    const size_t n = 9000;
    zkr_fe *a = random_vector(n), *b = random_vector(n);
    b[8999] = fr_modulus;
    b[4097] = fr_modulus;
    for (size_t e = 0; e < num_engines; e++) {
        size_t bad = 0;
        CHECK(zkr_fr_add(engines[e], (uint64_t *)a, (uint64_t *)a, (uint64_t *)b, n, &bad) == ZKR_NOTCANONICAL);
        CHECK(bad == n + 4097);
        /* r is canonical in Fq, q is not */
        CHECK(zkr_fq_from_mont(engines[e], (uint64_t *)a, (uint64_t *)b, n, &bad) == ZKR_OK);
    }
    free(a);
    free(b);
}

static void transforms_invert_each_other_on_every_size_and_path(void) {
    for (unsigned log_n = 0; log_n <= 13; log_n++) {
        const size_t n = (size_t)1 << log_n, bytes = n * sizeof(zkr_fe);
        zkr_fe *a = random_vector(n), *values = random_vector(n), *out = random_vector(n);
        for (int coset = 0; coset < 2; coset++) {
            for (size_t e = 0; e < num_engines; e++) {
                CHECK(zkr_ntt_forward(engines[e], e == 0 ? values : out, a, log_n, coset, NULL) == ZKR_OK);
                CHECK(e == 0 || same(out, values, bytes));
                CHECK(zkr_ntt_inverse(engines[e], out, values, log_n, coset, NULL) == ZKR_OK);
                CHECK(same(out, a, bytes));
            }
        }
        free(a);
        free(values);
        free(out);
    }
    CHECK(zkr_ntt_forward(engines[0], NULL, NULL, 29, false, NULL) == ZKR_BADARGS);
    CHECK(zkr_ntt_inverse(engines[0], NULL, NULL, 28, true, NULL) == ZKR_BADARGS);
}

static void generators_are_on_their_curves_and_have_order_r(void) {
    zkr_g1_xyzz p;
    zkr_g2_xyzz q;
    CHECK(g1_is_on_curve(&g1_generator) && g2_is_on_curve(&g2_generator));
    g1_scalar_mul(&p, &g1_generator, &fr_modulus);
    g2_scalar_mul(&q, &g2_generator, &fr_modulus);
    CHECK(fq_is_zero(&p.zz) && fq2_is_zero(&q.zz));
}

static void complete_addition_handles_equal_opposite_and_infinite_points(void) {
    zkr_g1 table[5];
    zkr_g1_xyzz acc;
    memset(table, 0, sizeof table);
    table[1] = g1_generator;
    g1_neg(&table[2], &g1_generator);
    g1_from_affine(&acc, &g1_generator);
    g1_double(&acc);
    g1_to_affine(&table[3], &acc);
    g1_neg(&table[4], &table[3]);
    for (size_t e = 0; e < num_engines; e++) {
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 5; j++) {
                zkr_g1 sum, expected;
                zkr_g1_xyzz left, right;
                zkr_fe scratch[1];
                g1_from_affine(&left, &table[i]);
                g1_from_affine(&right, &table[j]);
                zkr_g1_xyzz mixed = left;
                g1_add(&left, &right);
                g1_to_affine(&expected, &left);
                g1_add_affine(&mixed, &table[j]);
                g1_to_affine(&sum, &mixed);
                CHECK(same(&sum, &expected, sizeof sum));
                engines[e]->k->g1.add(&sum, &table[i], &table[j], 1, scratch);
                CHECK(same(&sum, &expected, sizeof sum));
            }
        }
    }
}

/* sum scalars[i] points[i], one double-and-add after the other */
static zkr_g1 slow_msm(const zkr_g1 *points, const zkr_fe *scalars, size_t n) {
    zkr_g1_xyzz acc, term;
    zkr_g1 out;
    g1_set_infinity(&acc);
    for (size_t i = 0; i < n; i++) {
        zkr_fe k;
        fr_from_mont(&k, &scalars[i]);
        g1_scalar_mul(&term, &points[i], &k);
        g1_add(&acc, &term);
    }
    g1_to_affine(&out, &acc);
    return out;
}

static void sums_of_multiples_agree_with_double_and_add(void) {
    const size_t n = 1500;
    zkr_fe *scalars = random_vector(n), *multipliers = random_vector(n);
    zkr_g1 *points = malloc(n * sizeof *points);
    CHECK(points != NULL);
    CHECK(zkr_fixed_base_g1(engines[0], points, &g1_generator, multipliers, n) == ZKR_OK);
    for (size_t i = 0; i < n; i++) {
        if (i % 7 == 0) scalars[i] = fr_zero;
        if (i % 7 == 1) scalars[i] = fr_one;
        if (i % 7 == 2) fr_neg(&scalars[i], &fr_one);
        if (i % 11 == 0) memset(&points[i], 0, sizeof points[i]);
        if (i % 13 == 0) points[i] = g1_generator;
    }
    const size_t sizes[] = {0, 1, 2, 127, 128, 129, 1500};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const zkr_g1 expected = slow_msm(points, scalars, sizes[s]);
        for (size_t e = 0; e < num_engines; e++) {
            zkr_g1 got;
            CHECK(zkr_msm_g1(engines[e], &got, points, scalars, sizes[s]) == ZKR_OK);
            CHECK(same(&got, &expected, sizeof got));
        }
    }
    free(scalars);
    free(multipliers);
    free(points);
}

static void one_bucket_over_many_blocks_is_joined(void) {
    const size_t n = 20000;
    zkr_fe *scalars = random_vector(n);
    zkr_g1 *points = malloc(n * sizeof *points);
    CHECK(points != NULL);
    zkr_fe sum = fr_zero;
    CHECK(zkr_fixed_base_g1(engines[0], points, &g1_generator, scalars, n) == ZKR_OK);
    for (size_t i = 0; i < n; i++) fr_add(&sum, &sum, &scalars[i]);
    zkr_g1 expected, got;
    CHECK(zkr_fixed_base_g1(engines[0], &expected, &g1_generator, &sum, 1) == ZKR_OK);
    for (size_t i = 0; i < n; i++) scalars[i] = fr_one;
    for (size_t e = 0; e < num_engines; e++) {
        CHECK(zkr_msm_g1(engines[e], &got, points, scalars, n) == ZKR_OK);
        CHECK(same(&got, &expected, sizeof got));
    }
    free(scalars);
    free(points);
}

static void sums_in_the_twist_agree_with_fixed_base(void) {
    const size_t n = 600;
    zkr_fe *scalars = random_vector(n), *multipliers = random_vector(n), sum = fr_zero, t;
    zkr_g2 *points = malloc(n * sizeof *points), expected, got;
    CHECK(points != NULL);
    CHECK(zkr_fixed_base_g2(engines[0], points, &g2_generator, multipliers, n) == ZKR_OK);
    for (size_t i = 0; i < n; i++) {
        fr_mul(&t, &scalars[i], &multipliers[i]);
        fr_add(&sum, &sum, &t);
    }
    CHECK(zkr_fixed_base_g2(engines[0], &expected, &g2_generator, &sum, 1) == ZKR_OK);
    for (size_t e = 0; e < num_engines; e++) {
        CHECK(zkr_msm_g2(engines[e], &got, points, scalars, n) == ZKR_OK);
        CHECK(same(&got, &expected, sizeof got));
    }
    free(scalars);
    free(multipliers);
    free(points);
}

/* Few different points, so that neighbours are often equal, opposite or infinite; segments on both sides of
 * what shares an inversion. The first engine is the portable one. */
#define SUMS_OF_ENTRIES_AGREE(group, point, element, generator)                                                  \
    static void sums_of_entries_agree_in_##group(void) {                                                         \
        enum { POOL = 24, N = 8192 };                                                                            \
        static const uint32_t shapes[] = {1, 2, 3, 5, 33, 700, 4095, N};                                         \
        zkr_fe *scalars = random_vector(POOL);                                                                   \
        point pool[POOL], *expected = malloc(N * sizeof(point)), *got = malloc(N * sizeof(point));               \
        point *pairs = malloc(N * sizeof(point));                                                                \
        element *scratch = malloc(N * sizeof *scratch);                                                          \
        uint32_t *entries = malloc(3 * N * sizeof *entries), *lengths = entries + N, *places = lengths + N;      \
        CHECK(expected != NULL && got != NULL && pairs != NULL && scratch != NULL && entries != NULL);           \
        CHECK(zkr_fixed_base_##group(engines[0], pool, &generator, scalars, POOL) == ZKR_OK);                    \
        memset(&pool[5], 0, sizeof pool[5]);                                                                     \
        for (size_t shape = 0; shape < 2 * sizeof shapes / sizeof shapes[0]; shape++) {                          \
            const uint32_t most = shapes[shape / 2];                                                             \
            const uint64_t different = shape % 2 ? POOL : 3;                                                     \
            for (size_t i = 0; i < N; i++)                                                                       \
                entries[i] = (uint32_t)(random64() % different + (shape % 4 == 2 ? 4 : 0)) |                     \
                             (uint32_t)(random64() % 2) << 31;                                                   \
            for (size_t e = 0; e < num_engines; e++) {                                                           \
                size_t segments = 0;                                                                             \
                for (uint32_t at = 0; at < N; at += lengths[segments++])                                         \
                    lengths[segments] = N - at < most ? N - at : most - (at % 3 == 1 && most > 1);               \
                point *to = e == 0 ? expected : got;                                                             \
                engines[e]->k->group.sum_entries(to, pool, entries, lengths, segments, places, scratch);         \
                CHECK(e == 0 || same(got, expected, segments * sizeof *got));                                    \
            }                                                                                                    \
            for (size_t n = most - 1; n <= most && n <= N - 9; n++) {                                            \
                engines[0]->k->group.gather(pairs, pool, entries, N);                                            \
                engines[0]->k->group.add(expected, pairs, pairs + 9, n, scratch);                                \
                for (size_t e = 1; e < num_engines; e++) {                                                       \
                    engines[e]->k->group.add(got, pairs, pairs + 9, n, scratch);                                 \
                    CHECK(same(got, expected, n * sizeof *got));                                                 \
                    memcpy(got, pairs, n * sizeof *got);                                                         \
                    engines[e]->k->group.add(got, got, pairs + 9, n, scratch);                                   \
                    CHECK(same(got, expected, n * sizeof *got));                                                 \
                }                                                                                                \
            }                                                                                                    \
        }                                                                                                        \
        free(scalars);                                                                                           \
        free(expected);                                                                                          \
        free(got);                                                                                               \
        free(pairs);                                                                                             \
        free(scratch);                                                                                           \
        free(entries);                                                                                           \
    }
SUMS_OF_ENTRIES_AGREE(g1, zkr_g1, zkr_fe, g1_generator)
SUMS_OF_ENTRIES_AGREE(g2, zkr_g2, zkr_fe2, g2_generator)

/* The chain value after the bytes 0 to 255, computed by zkrollup.groth16.blake2b. */
static void blake2b_blocks_give_the_known_chain_at_any_address_and_however_cut(void) {
    static const uint64_t known[8] = {0x32062dfe405ef152ULL, 0x24ab555a845ed8d6ULL, 0x46369dbc1d61f5e3ULL,
                                      0xa44a9a95f3ae9e50ULL, 0xfd29f869a905a77aULL, 0xcd5bcafd63e68924ULL,
                                      0xb699df6904d2abf7ULL, 0xb3aec9591a49a9c3ULL};
    static const uint64_t first[8] = {0x6a09e667f2bdc948ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL,
                                      0xa54ff53a5f1d36f1ULL, 0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL,
                                      0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
    uint8_t *data = malloc(257); /* its end is that of the blocks */
    CHECK(data != NULL);
    for (unsigned i = 0; i < 256; i++) data[1 + i] = (uint8_t)i;
    uint64_t chain[8];
    memcpy(chain, first, sizeof chain);
    CHECK(zkr_blake2b_blocks(chain, data + 1, 2, 0) == ZKR_OK && same(chain, known, sizeof chain));
    memcpy(chain, first, sizeof chain);
    CHECK(zkr_blake2b_blocks(chain, data + 1, 1, 0) == ZKR_OK);
    CHECK(zkr_blake2b_blocks(chain, NULL, 0, 128) == ZKR_OK);
    CHECK(zkr_blake2b_blocks(chain, data + 129, 1, 128) == ZKR_OK && same(chain, known, sizeof chain));
    CHECK(zkr_blake2b_blocks(NULL, data, 1, 0) == ZKR_BADARGS);
    CHECK(zkr_blake2b_blocks(chain, NULL, 1, 0) == ZKR_BADARGS);
    CHECK(zkr_blake2b_blocks(chain, data, SIZE_MAX, 0) == ZKR_BADARGS);
    CHECK(zkr_blake2b_blocks(chain, data, 1, UINT64_MAX - 127) == ZKR_BADARGS && same(chain, known, sizeof chain));
    free(data);
}

static void impossible_arguments_give_a_status(void) {
    zkr_engine *engine = NULL;
    uint64_t word[16] = {0};
    CHECK(zkr_engine_new(NULL, "", 1) == ZKR_BADARGS);
    CHECK(zkr_engine_new(&engine, NULL, 1) == ZKR_BADARGS);
    CHECK(zkr_engine_new(&engine, "mmx", 1) == ZKR_BADARGS && engine == NULL);
    CHECK(zkr_engine_new(&engine, "", 0) == ZKR_BADARGS);
    CHECK(zkr_engine_new(&engine, "", 1025) == ZKR_BADARGS);
    CHECK(zkr_cpu_available("") == ZKR_BADARGS && zkr_cpu_available(NULL) == ZKR_BADARGS);
    CHECK(zkr_fr_mul(NULL, word, word, word, 1, NULL) == ZKR_BADARGS);
    CHECK(zkr_fr_mul(engines[0], word, NULL, word, 1, NULL) == ZKR_BADARGS);
    CHECK(zkr_fr_mul(engines[0], word, word, word, SIZE_MAX, NULL) == ZKR_BADARGS);
    CHECK(zkr_fr_ntt(engines[0], word, word, 3, 0, NULL) == ZKR_BADARGS);
    CHECK(zkr_fr_ntt(engines[0], word, word, 4, 8, NULL) == ZKR_BADARGS);
    CHECK(zkr_g1_msm(engines[0], word, word, word, (size_t)1 << 31, NULL, NULL) == ZKR_BADARGS);
    CHECK(zkr_g1_msm(engines[0], NULL, word, word, 0, NULL, NULL) == ZKR_BADARGS);
    CHECK(zkr_g1_msm(engines[0], word, NULL, NULL, 0, NULL, NULL) == ZKR_OK);
    zkr_engine_free(NULL);
}

int main(void) {
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            const int status = zkr_engine_new(&engines[num_engines], paths[i], threads);
            CHECK(status == ZKR_OK || status == ZKR_UNSUPPORTED);
            num_engines += status == ZKR_OK;
        }
    }
    RUN(field_elements_satisfy_the_axioms);
    RUN(quadratic_extension_inverts_and_multiplies_consistently);
    RUN(all_paths_and_thread_counts_agree_on_vectors);
    RUN(operations_in_place_give_the_same);
    RUN(elements_that_are_not_reduced_are_named_by_index);
    RUN(transforms_invert_each_other_on_every_size_and_path);
    RUN(generators_are_on_their_curves_and_have_order_r);
    RUN(complete_addition_handles_equal_opposite_and_infinite_points);
    RUN(sums_of_multiples_agree_with_double_and_add);
    RUN(one_bucket_over_many_blocks_is_joined);
    RUN(sums_in_the_twist_agree_with_fixed_base);
    RUN(sums_of_entries_agree_in_g1);
    RUN(sums_of_entries_agree_in_g2);
    RUN(blake2b_blocks_give_the_known_chain_at_any_address_and_however_cut);
    RUN(impossible_arguments_give_a_status);
    for (size_t e = 0; e < num_engines; e++) zkr_engine_free(engines[e]);
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
