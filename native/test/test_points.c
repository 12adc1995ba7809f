/* test_points.c: vectors of points through the ABI: scalings, inverse transforms, sparse sums, secrets
 * and fixed bases, on every path; buffers are as long as they must be, so that the sanitizers see a step
 * beyond. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "curve.h"
#include "engine.h"
#include "glv.h"
#include "zkr.h"

static zkr_engine *engine; /* the one under test */

static zkr_fe random_fr(void) {
    zkr_fe x;
    do {
        for (int i = 0; i < 4; i++) x.l[i] = random64();
        x.l[3] >>= 2;
    } while (!fr_is_canonical(&x));
    return x;
}

/* Words of a point of either group */
#define WORDS(group) ((group) == 1 ? (size_t)8 : (size_t)16)

static uint64_t *multiples(int group, const zkr_fe *scalars, size_t n) {
    uint64_t *const out = malloc(n * WORDS(group) * sizeof *out);
    CHECK(out != NULL);
    const int status =
        group == 1 ? zkr_g1_fixed_base(engine, out, g1_generator.x.l, (const uint64_t *)scalars, n, NULL, NULL)
                   : zkr_g2_fixed_base(engine, out, g2_generator.x.c0.l, (const uint64_t *)scalars, n, NULL, NULL);
    CHECK(status == ZKR_OK);
    return out;
}

static void check_multiples(int group, const uint64_t *points, const zkr_fe *scalars, size_t n) {
    uint64_t *const expected = multiples(group, scalars, n);
    CHECK(memcmp(points, expected, n * WORDS(group) * sizeof *points) == 0);
    free(expected);
}

/* Random scalars, with zero, one, minus one and small ones among them */
static zkr_fe *scalars_of(size_t n) {
    zkr_fe *const s = malloc((n + 1) * sizeof *s);
    CHECK(s != NULL);
    for (size_t i = 0; i < n; i++) {
        s[i] = random_fr();
        if (i % 7 == 1) fr_from_u64(&s[i], i / 7);
        if (i % 7 == 2) fr_neg(&s[i], &fr_one);
    }
    return s;
}

static void halves_make_the_scalar(void) {
    static const zkr_fe edges[] = {{{0}}, {{1}}, {{8}}, {{0, (uint64_t)1 << 62}}, {{UINT64_MAX, UINT64_MAX >> 1}}};
    zkr_fe lambda, sixteen, sum, power, digit;
    fr_from_u64(&sixteen, 16);
    { /* lambda = (r - long) / short: from long + short lambda = 0 */
        zkr_fe t = {{glv_short[0]}};
        fr_to_mont(&t, &t);
        fr_inv(&t, &t);
        lambda = (zkr_fe){{glv_long[0], glv_long[1]}};
        fr_to_mont(&lambda, &lambda);
        fr_neg(&lambda, &lambda);
        fr_mul(&lambda, &lambda, &t);
    }
    for (size_t i = 0; i < 1000 + sizeof edges / sizeof edges[0]; i++) {
        int8_t digits[2 * ZKR_GLV_WINDOWS];
        zkr_fe k = i < 1000 ? random_fr() : edges[i - 1000];
        zkr_glv_split(digits, 1, &k);
        memset(&sum, 0, sizeof sum);
        for (int half = 0; half < 2; half++) {
            power = half ? lambda : fr_one;
            for (int w = 0; w < ZKR_GLV_WINDOWS; w++) {
                const int d = digits[half * ZKR_GLV_WINDOWS + w];
                CHECK(d >= -8 && d <= 8);
                fr_from_u64(&digit, (uint64_t)(d < 0 ? -d : d));
                if (d < 0) fr_neg(&digit, &digit);
                fr_mul(&digit, &digit, &power);
                fr_add(&sum, &sum, &digit);
                fr_mul(&power, &power, &sixteen);
            }
        }
        fr_to_mont(&k, &k);
        CHECK(fr_eq(&sum, &k));
    }
}

static void scalings_are_right(void) {
    static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 300};
    for (int group = 1; group <= 2; group++) {
        for (size_t z = 0; z < sizeof sizes / sizeof sizes[0]; z++) {
            const size_t n = sizes[z];
            zkr_fe *const m = scalars_of(n), *const s = scalars_of(n + 3), *const p = scalars_of(n);
            uint64_t *const points = multiples(group, m, n), *const out = malloc(n * WORDS(group) * 8 + 1);
            const uint64_t *const by = (const uint64_t *)(s + 3);
            CHECK((group == 1 ? zkr_g1_scale : zkr_g2_scale)(engine, out, points, n, by, n, NULL, NULL) == ZKR_OK);
            for (size_t i = 0; i < n; i++) fr_mul(&p[i], &m[i], &s[i + 3]);
            check_multiples(group, out, p, n);
            CHECK((group == 1 ? zkr_g1_scale : zkr_g2_scale)(engine, points, points, n, (const uint64_t *)s, 1, NULL,
                                                             NULL) == ZKR_OK);
            for (size_t i = 0; i < n; i++) fr_mul(&p[i], &m[i], &s[0]);
            check_multiples(group, points, p, n);
            free(m), free(s), free(p), free(points), free(out);
        }
    }
}

static void transforms_are_those_of_the_scalars(void) {
    for (int group = 1; group <= 2; group++) {
        for (size_t n = 1; n <= 1024; n *= n < 16 ? 2 : 8) {
            zkr_fe *const m = scalars_of(n);
            uint64_t *const points = multiples(group, m, n);
            CHECK((group == 1 ? zkr_g1_intt_points : zkr_g2_intt_points)(engine, points, points, n, NULL) == ZKR_OK);
            CHECK(zkr_fr_intt(engine, (uint64_t *)m, (const uint64_t *)m, n, 0, NULL) == ZKR_OK);
            check_multiples(group, points, m, n);
            free(m), free(points);
        }
    }
}

static void sparse_sums_are_those_of_the_scalars(void) {
    enum { POINTS = 40, CONSTANTS = 9, COLUMNS = 60 };
    for (int group = 1; group <= 2; group++) {
        zkr_fe *const m = scalars_of(POINTS), *const constants = scalars_of(CONSTANTS);
        uint64_t *const points = multiples(group, m, POINTS), *const out = malloc(COLUMNS * WORDS(group) * 8);
        uint32_t indptr[COLUMNS + 1] = {0};
        for (int j = 0; j < COLUMNS; j++) /* short ones, empty ones, and two longer than a task */
            indptr[j + 1] = indptr[j] + (j == 20 ? 5000 : j == 59 ? 2048 : (uint32_t)(random64() % 6));
        const size_t entries = indptr[COLUMNS];
        uint32_t *const rows = malloc(entries * sizeof *rows), *const coefs = malloc(entries * sizeof *coefs);
        zkr_fe sums[COLUMNS], t;
        constants[3] = fr_one;
        memset(sums, 0, sizeof sums);
        for (size_t j = 0; j < COLUMNS; j++) {
            for (size_t e = indptr[j]; e < indptr[j + 1]; e++) {
                rows[e] = (uint32_t)(random64() % POINTS);
                coefs[e] = (uint32_t)(random64() % CONSTANTS);
                fr_mul(&t, &m[rows[e]], &constants[coefs[e]]);
                fr_add(&sums[j], &sums[j], &t);
            }
        }
        const zkr_columns columns = {indptr, rows, coefs, (const uint64_t *)constants, COLUMNS, entries, CONSTANTS};
        size_t bad;
        int what;
        CHECK((group == 1 ? zkr_g1_sparse_sums : zkr_g2_sparse_sums)(engine, out, &columns, points, POINTS, &bad,
                                                                     &what) == ZKR_OK);
        check_multiples(group, out, sums, COLUMNS);
        rows[77] = POINTS;
        CHECK(zkr_g1_sparse_sums(engine, out, &columns, points, POINTS, &bad, &what) == ZKR_BADARGS);
        CHECK(bad == 77 && what == ZKR_BAD_ROW);
        rows[77] = 0, coefs[78] = UINT32_MAX;
        CHECK(zkr_g1_sparse_sums(engine, out, &columns, points, POINTS, &bad, &what) == ZKR_BADARGS);
        CHECK(bad == 78 && what == ZKR_BAD_COEF);
        indptr[30] = UINT32_MAX;
        CHECK(zkr_g1_sparse_sums(engine, out, &columns, points, POINTS, &bad, &what) == ZKR_BADARGS);
        CHECK(bad == 30 && what == ZKR_BAD_INDPTR);
        free(m), free(constants), free(points), free(out), free(rows), free(coefs);
    }
}

static void secrets_scale_there_and_back(void) {
    enum { N = 70 };
    zkr_secret *s = NULL, *t = NULL;
    CHECK(zkr_secret_new(&s) == ZKR_OK && zkr_secret_new(&t) == ZKR_OK);
    zkr_fe *const m = scalars_of(N);
    for (int i = 0; i < N; i++) m[i] = fr_one;
    uint64_t *const points = multiples(1, m, N), *const a = malloc(N * 64), *const b = malloc(N * 64);
    CHECK(zkr_secret_g1_scale(engine, s, a, points, N, 0, NULL) == ZKR_OK);
    CHECK(memcmp(a, points, 64) != 0);
    CHECK(zkr_secret_g1_scale(engine, s, b, a, N, 1, NULL) == ZKR_OK);
    CHECK(memcmp(b, points, N * 64) == 0);
    CHECK(zkr_secret_g1_scale_powers(engine, s, t, a, points, N, 3, NULL) == ZKR_OK);
    CHECK(zkr_secret_g1_scale(engine, s, b, a, N, 0, NULL) == ZKR_OK);
    CHECK(memcmp(b, a + 8, (N - 1) * 64) == 0);
    CHECK(zkr_secret_g1_scale(engine, NULL, a, points, N, 0, NULL) == ZKR_BADARGS);
    CHECK(zkr_secret_g1_scale(engine, s, a, NULL, N, 0, NULL) == ZKR_BADARGS);
    CHECK(zkr_secret_g1_scale_powers(engine, NULL, t, a, points, N, 0, NULL) == ZKR_BADARGS);
    CHECK(zkr_secret_new(NULL) == ZKR_BADARGS);
    zkr_secret_free(s), zkr_secret_free(t), zkr_secret_free(NULL);
    free(m), free(points), free(a), free(b);
}

static void wrong_arguments_give_a_status(void) {
    zkr_fe one[4] = {fr_one, fr_one, fr_one, fr_one};
    uint64_t *const points = multiples(1, one, 4);
    uint64_t out[32];
    size_t bad = 0;
    int what = 0;
    CHECK(zkr_g1_scale(NULL, out, points, 4, (uint64_t *)one, 4, &bad, &what) == ZKR_BADARGS);
    CHECK(zkr_g1_scale(engine, out, points, 4, (uint64_t *)one, 3, &bad, &what) == ZKR_BADARGS);
    CHECK(zkr_g1_scale(engine, out, NULL, 4, (uint64_t *)one, 4, &bad, &what) == ZKR_BADARGS);
    CHECK(zkr_g1_scale(engine, out, points, SIZE_MAX, (uint64_t *)one, 1, &bad, &what) == ZKR_BADARGS);
    CHECK(zkr_g1_intt_points(engine, out, points, 3, &bad) == ZKR_BADARGS);
    CHECK(zkr_g1_intt_points(engine, out, points, 0, &bad) == ZKR_BADARGS);
    CHECK(zkr_g1_intt_points(engine, out, points, (size_t)1 << 29, &bad) == ZKR_BADARGS);
    points[8 * 2 + 7] = UINT64_MAX;
    CHECK(zkr_g1_scale(engine, out, points, 4, (uint64_t *)one, 4, &bad, &what) == ZKR_NOTCANONICAL);
    CHECK(bad == 2 && what == ZKR_BAD_POINT);
    CHECK(zkr_g1_intt_points(engine, out, points, 4, &bad) == ZKR_NOTCANONICAL && bad == 2);
    free(points);
}

int main(void) {
    static const char *const paths[] = {"portable", "adx", "ifma"};
    RUN(halves_make_the_scalar);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const int status = zkr_engine_new(&engine, paths[i], 3);
        CHECK(status == ZKR_OK || status == ZKR_UNSUPPORTED);
        if (status != ZKR_OK) continue;
        RUN(scalings_are_right);
        RUN(transforms_are_those_of_the_scalars);
        RUN(sparse_sums_are_those_of_the_scalars);
        RUN(secrets_scale_there_and_back);
        RUN(wrong_arguments_give_a_status);
        zkr_engine_free(engine);
    }
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
