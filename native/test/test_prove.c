/* test_prove.c: a proof's sums in one call, against one MSM a query; run under the address and the thread
 * sanitizer. The bases are multiples of the generators, some infinite. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "curve.h"
#include "engine.h"
#include "zkr.h"

#define WIRES 700
#define PUBLIC 3
#define DOMAIN 1024

static uint64_t g1_points[DOMAIN * 8], g2_points[DOMAIN * 16]; /* multiples of the generators */
static uint64_t witness[WIRES * 4], quotient[DOMAIN * 4];

static void random_scalars(uint64_t *out, size_t n, bool bits) {
    zkr_fe *x = (zkr_fe *)out;
    for (size_t i = 0; i < n; i++) {
        do {
            for (int l = 0; l < 4; l++) x[i].l[l] = random64();
            x[i].l[3] >>= 2;
        } while (!fr_is_canonical(&x[i]));
        if (bits && random64() % 8 != 0) fr_from_u64(&x[i], random64() % 2);
    }
}

static void make_points(void) {
    static uint64_t scalars[DOMAIN * 4];
    zkr_engine *engine;
    CHECK(zkr_engine_new(&engine, "", 1) == ZKR_OK);
    random_scalars(scalars, DOMAIN, false);
    zkr_g1 one;
    one.x = fq_one;
    fq_dbl(&one.y, &fq_one); /* (1, 2) */
    CHECK(zkr_g1_fixed_base(engine, g1_points, (const uint64_t *)&one, scalars, DOMAIN, NULL, NULL) == ZKR_OK);
    CHECK(zkr_g2_fixed_base(engine, g2_points, (const uint64_t *)&g2_generator, scalars, DOMAIN, NULL, NULL) == ZKR_OK);
    zkr_engine_free(engine);
}

typedef struct {
    uint64_t a[WIRES * 8], b1[WIRES * 8], b2[WIRES * 16], b_values[WIRES * 4];
    uint32_t b_columns[WIRES];
    zkr_proof_points points;
} key;

/* Every `infinite`-th point of A is infinite, and every `apart`-th wire is in B. */
static void make_key(key *k, size_t infinite, size_t apart, bool whole) {
    memset(k, 0, sizeof *k);
    memcpy(k->a, g1_points, sizeof k->a);
    size_t count = 0;
    for (size_t i = 0; i < WIRES; i++) {
        if (infinite != 0 && i % infinite == 0) memset(k->a + 8 * i, 0, 64);
        if (apart == 0 || i % apart != 0) continue;
        const size_t at = whole ? i : count;
        memcpy(k->b1 + 8 * at, g1_points + 8 * i, 64);
        memcpy(k->b2 + 16 * at, g2_points + 16 * i, 128);
        memcpy(k->b_values + 4 * count, witness + 4 * i, 32);
        k->b_columns[count++] = (uint32_t)i;
    }
    k->points = (zkr_proof_points){.a = k->a, .num_a = WIRES, .b_columns = k->b_columns, .num_b = count, .b1 = k->b1,
                                   .b2 = k->b2, .num_b_points = whole ? WIRES : count, .l = g1_points,
                                   .num_l = WIRES - PUBLIC - 1, .h = g1_points, .num_h = DOMAIN};
}

static void check_sums(const zkr_engine *engine, const key *k, const uint64_t *out) {
    static uint64_t b1[WIRES * 8], b2[WIRES * 16];
    uint64_t wanted[48];
    const size_t in_b = k->points.num_b;
    for (size_t i = 0; i < in_b; i++) {
        memcpy(b1 + 8 * i, g1_points + 8 * k->b_columns[i], 64);
        memcpy(b2 + 16 * i, g2_points + 16 * k->b_columns[i], 128);
    }
    CHECK(zkr_g1_msm(engine, wanted, k->a, witness, WIRES, NULL, NULL) == ZKR_OK);
    CHECK(zkr_g1_msm(engine, wanted + 8, b1, k->b_values, in_b, NULL, NULL) == ZKR_OK);
    CHECK(zkr_g2_msm(engine, wanted + 16, b2, k->b_values, in_b, NULL, NULL) == ZKR_OK);
    CHECK(zkr_g1_msm(engine, wanted + 32, g1_points, witness + (size_t)4 * (PUBLIC + 1), k->points.num_l, NULL, NULL) == ZKR_OK);
    CHECK(zkr_g1_msm(engine, wanted + 40, g1_points, quotient, DOMAIN, NULL, NULL) == ZKR_OK);
    CHECK(memcmp(out, wanted, sizeof wanted) == 0);
}

static void sums_equal_one_msm_a_query(void) {
    static key k;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        zkr_engine *engine;
        CHECK(zkr_engine_new(&engine, "", threads) == ZKR_OK);
        for (unsigned which = 0; which < 8; which++) {
            uint64_t out[48];
            random_scalars(witness, WIRES, which % 2);
            random_scalars(quotient, DOMAIN, false);
            make_key(&k, (size_t[]){0, 1, 3, 50}[which / 2], (size_t[]){0, 1, 2, 40}[which % 4], which % 4 == 2);
            CHECK(zkr_groth16_sums(engine, out, &k.points, NULL, witness, WIRES, quotient, NULL, NULL) == ZKR_OK);
            check_sums(engine, &k, out);
        }
        zkr_engine_free(engine);
    }
}

static key shared;

/* check_sums has static memory, so each caller has a turn of its own to check; sums overlap */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void *prove_beside_others(void *context) {
    const zkr_engine *engine = context;
    for (int i = 0; i < 3; i++) {
        uint64_t out[48];
        CHECK(zkr_groth16_sums(engine, out, &shared.points, NULL, witness, WIRES, quotient, NULL, NULL) == ZKR_OK);
        pthread_mutex_lock(&turn);
        check_sums(engine, &shared, out);
        pthread_mutex_unlock(&turn);
    }
    return NULL;
}

static void callers_may_share_an_engine(void) {
    zkr_engine *engine;
    CHECK(zkr_engine_new(&engine, "", 3) == ZKR_OK);
    random_scalars(witness, WIRES, false);
    random_scalars(quotient, DOMAIN, false);
    make_key(&shared, 5, 3, false);
    pthread_t callers[3];
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&callers[i], NULL, prove_beside_others, engine) == 0);
    for (int i = 0; i < 3; i++) CHECK(pthread_join(callers[i], NULL) == 0);
    zkr_engine_free(engine);
}

static void impossible_arguments_give_a_status(void) {
    static key k;
    uint64_t out[48];
    size_t bad = 0;
    int what = 0;
    zkr_engine *engine;
    CHECK(zkr_engine_new(&engine, "", 2) == ZKR_OK);
    CHECK(zkr_engine_set_window(NULL, 8) == ZKR_BADARGS && zkr_engine_set_window(engine, 4) == ZKR_BADARGS);
    make_key(&k, 5, 3, false);
#define SUMS(points) zkr_groth16_sums(engine, out, points, NULL, witness, WIRES, quotient, &bad, &what)
    CHECK(SUMS(&k.points) == ZKR_OK);
    CHECK(SUMS(NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_sums(NULL, out, &k.points, NULL, witness, WIRES, quotient, NULL, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_sums(engine, out, &k.points, NULL, witness, WIRES, NULL, NULL, NULL) == ZKR_BADARGS);
    zkr_proof_points p = k.points;
    p.num_a = WIRES - 1;
    CHECK(SUMS(&p) == ZKR_BADARGS);
    p = k.points;
    p.num_l = WIRES + 1;
    CHECK(SUMS(&p) == ZKR_BADARGS);
    p = k.points;
    p.num_b_points--;
    CHECK(SUMS(&p) == ZKR_BADARGS);
    p = k.points;
    k.b_columns[1] = WIRES;
    CHECK(SUMS(&p) == ZKR_BADARGS);
    k.b_columns[1] = 0;
    CHECK(SUMS(&p) == ZKR_BADARGS);
    k.b_columns[1] = 3;
    k.b2[16 * 7 + 3] = UINT64_MAX;
    CHECK(SUMS(&p) == ZKR_NOTCANONICAL && bad == 7 && what == ZKR_SUMS_B2);
    witness[4 * 9 + 3] = UINT64_MAX;
    CHECK(SUMS(&p) == ZKR_NOTCANONICAL && bad == 9 && what == ZKR_SUMS_WITNESS);
    zkr_engine_free(engine);
}

int main(void) {
    make_points();
    RUN(sums_equal_one_msm_a_query);
    RUN(callers_may_share_an_engine);
    RUN(impossible_arguments_give_a_status);
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
