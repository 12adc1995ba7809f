/* test_groth16.c: R1CS products, quotient and setup through the ABI: what they compute, and that no
 * layout, whatever its numbers, makes them read or write elsewhere. Run under the sanitizers. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "curve.h"
#include "engine.h"
#include "ntt.h"
#include "random.h"
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

/* One template, `instances` copies in a chain: row 0 says x y = z, row 1 says (5 z + previous - shared)
 * 1 = last. Local columns: 0 the one, 1 public, 2 the instance before's last, then own x, y, z, last. */
#define INSTANCES 9 /* more than the lanes that some paths have */
#define LINKS 3
#define OWN 4
#define ROWS 2
#define COLUMNS (2 + OWN * INSTANCES)
#define ALL_ROWS (ROWS * INSTANCES)
#define DOMAIN 32

typedef struct {
    uint32_t a_ptr[ROWS + 1], a_cols[4], a_coefs[4];
    uint32_t b_ptr[ROWS + 1], b_cols[2], b_coefs[2];
    uint32_t c_ptr[ROWS + 1], c_cols[2], c_coefs[2];
    uint32_t links[INSTANCES * LINKS];
    zkr_fe constants[4];
    zkr_block block;
    zkr_layout layout;
} chain;

static void make(chain *s) {
    *s = (chain){
        .a_ptr = {0, 1, 4}, .a_cols = {3, 5, 2, 1}, .a_coefs = {1, 3, 1, 2},
        .b_ptr = {0, 1, 2}, .b_cols = {4, 0}, .b_coefs = {1, 1},
        .c_ptr = {0, 1, 2}, .c_cols = {5, 6}, .c_coefs = {1, 1},
    };
    for (uint32_t i = 0; i < INSTANCES; i++) {
        s->links[LINKS * i + 1] = 1;
        s->links[LINKS * i + 2] = i == 0 ? 1 : 2 + OWN * i - 1;
    }
    s->constants[1] = fr_one;
    fr_neg(&s->constants[2], &fr_one);
    fr_from_u64(&s->constants[3], 5);
    s->block = (zkr_block){
        .a = {s->a_ptr, s->a_cols, s->a_coefs, ROWS + 1, 4},
        .b = {s->b_ptr, s->b_cols, s->b_coefs, ROWS + 1, 2},
        .c = {s->c_ptr, s->c_cols, s->c_coefs, ROWS + 1, 2},
        .constants = (const uint64_t *)s->constants,
        .links = s->links,
        .num_constants = 4, .num_rows = ROWS, .num_links = LINKS, .num_own = OWN, .instances = INSTANCES,
        .own_base = 2, .row_base = 0,
    };
    s->layout = (zkr_layout){&s->block, 1, COLUMNS, 1, ROWS * INSTANCES};
}

static void satisfy(zkr_fe w[COLUMNS]) {
    w[0] = fr_one;
    w[1] = random_fr();
    for (int i = 0; i < INSTANCES; i++) {
        zkr_fe *const own = w + 2 + OWN * i;
        zkr_fe five;
        own[0] = random_fr();
        own[1] = random_fr();
        fr_mul(&own[2], &own[0], &own[1]);
        fr_from_u64(&five, 5);
        fr_mul(&own[3], &own[2], &five);
        fr_add(&own[3], &own[3], i == 0 ? &w[1] : own - 1);
        fr_sub(&own[3], &own[3], &w[1]);
    }
}

static void products_and_violations_are_right(void) {
    chain s;
    zkr_fe w[COLUMNS], a[ALL_ROWS], b[ALL_ROWS], c[ALL_ROWS], t;
    uint8_t violated[ALL_ROWS];
    size_t bad;
    make(&s);
    satisfy(w);
    const uint64_t *const witness = (const uint64_t *)w;
    CHECK(zkr_r1cs_products(engine, (uint64_t *)a, (uint64_t *)b, (uint64_t *)c, &s.layout, witness, COLUMNS, &bad) ==
           ZKR_OK);
    for (int i = 0; i < ALL_ROWS; i++) {
        fr_mul(&t, &a[i], &b[i]);
        CHECK(fr_eq(&t, &c[i]));
    }
    CHECK(zkr_r1cs_violations(engine, violated, &s.layout, witness, COLUMNS, NULL) == ZKR_OK);
    for (int i = 0; i < ALL_ROWS; i++) CHECK(violated[i] == 0);
    fr_add(&w[COLUMNS - 2], &w[COLUMNS - 2], &fr_one); /* z of the last instance */
    CHECK(zkr_r1cs_violations(engine, violated, &s.layout, witness, COLUMNS, NULL) == ZKR_OK);
    for (int i = 0; i < ALL_ROWS; i++) CHECK(violated[i] == (i >= ALL_ROWS - 2));
    w[7] = fr_modulus;
    CHECK(zkr_r1cs_violations(engine, violated, &s.layout, witness, COLUMNS, &bad) == ZKR_NOTCANONICAL && bad == 7);
    w[7] = fr_one;
    s.constants[3] = fr_modulus;
    CHECK(zkr_r1cs_violations(engine, violated, &s.layout, witness, COLUMNS, &bad) == ZKR_NOTCANONICAL &&
           bad == SIZE_MAX);
}

static void wrong_arguments_give_a_status(void) {
    chain s;
    zkr_fe w[COLUMNS], out[DOMAIN];
    uint8_t violated[ALL_ROWS];
    uint64_t *const o = (uint64_t *)out;
    zkr_setup *setup;
    make(&s);
    satisfy(w);
    const uint64_t *const witness = (const uint64_t *)w;
    CHECK(zkr_groth16_domain(&s.layout) == DOMAIN && zkr_groth16_domain(NULL) == 0);
    CHECK(zkr_r1cs_products(engine, o, o, o, &s.layout, witness, COLUMNS - 1, NULL) == ZKR_BADARGS);
    CHECK(zkr_r1cs_products(engine, NULL, o, o, &s.layout, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_r1cs_products(NULL, o, o, o, &s.layout, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_r1cs_products(engine, o, o, o, NULL, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_r1cs_violations(engine, violated, &s.layout, NULL, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_r1cs_violations(engine, NULL, &s.layout, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_quotient(engine, o, 4, &s.layout, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_quotient(engine, NULL, DOMAIN, &s.layout, witness, COLUMNS, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_quotient(engine, o, DOMAIN, &s.layout, witness, COLUMNS, NULL) == ZKR_OK);
    CHECK(zkr_setup_new(engine, NULL, &s.layout, NULL) == ZKR_BADARGS);
    CHECK(zkr_setup_new(NULL, &setup, &s.layout, NULL) == ZKR_BADARGS && setup == NULL);
    CHECK(zkr_setup_new(engine, &setup, NULL, NULL) == ZKR_BADARGS && setup == NULL);
    zkr_setup_free(NULL);
    CHECK(zkr_setup_count(NULL, ZKR_SETUP_A) == 0);
}

/* Every number of a layout replaced by others: a status, and a sanitizer that stays silent. */
static void no_layout_leads_elsewhere(void) {
    const uint64_t values[] = {0, 1, 2, 3, 7, 14, 1000, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    zkr_fe w[COLUMNS], out[3][ALL_ROWS];
    uint8_t violated[ALL_ROWS];
    size_t refused = 0, accepted = 0;
    satisfy(w);
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (int field = 0;; field++) {
            chain s;
            make(&s);
            uint64_t *const sizes[] = {
                &s.block.num_own,  &s.block.num_links,      &s.block.num_rows,     &s.block.own_base,
                &s.block.row_base, &s.block.a.num_entries,  &s.block.b.num_indptr, &s.layout.num_columns,
                &s.layout.num_rows, &s.layout.num_public,   &s.block.num_constants, &s.block.instances,
            };
            uint32_t *const arrays[] = {s.a_ptr, s.a_cols, s.a_coefs, s.b_ptr, s.c_cols, s.links};
            const int lengths[] = {3, 4, 4, 3, 2, INSTANCES * LINKS};
            const int num_sizes = (int)(sizeof sizes / sizeof *sizes);
            if (field < num_sizes) {
                /* these say how long an array is, which only the caller can know */
                if (sizes[field] == &s.block.num_constants && values[v] > 4) continue;
                if (sizes[field] == &s.block.instances && values[v] > INSTANCES) continue;
                if (sizes[field] == &s.block.num_links && values[v] > LINKS) continue;
                *sizes[field] = values[v];
            } else {
                int at = field - num_sizes, array = 0;
                while (array < 6 && at >= lengths[array]) at -= lengths[array++];
                if (array == 6) break;
                arrays[array][at] = (uint32_t)values[v];
            }
            zkr_layout_fault fault;
            const int status = zkr_layout_check(&s.layout, &fault);
            CHECK(status == ZKR_OK ? fault.kind == ZKR_FAULT_NONE : fault.kind != ZKR_FAULT_NONE);
            if (status == ZKR_OK && s.layout.num_columns == COLUMNS && s.layout.num_rows == ALL_ROWS) {
                CHECK(zkr_r1cs_products(engine, (uint64_t *)out[0], (uint64_t *)out[1], (uint64_t *)out[2], &s.layout,
                                         (const uint64_t *)w, COLUMNS, NULL) == ZKR_OK);
                zkr_setup *setup;
                CHECK(zkr_setup_new(engine, &setup, &s.layout, NULL) == ZKR_OK);
                zkr_setup_free(setup);
                accepted++;
            } else if (status != ZKR_OK) {
                CHECK(zkr_r1cs_violations(engine, violated, &s.layout, (const uint64_t *)w, COLUMNS, NULL) == status);
                refused++;
            }
        }
    }
    CHECK(refused > 100 && accepted > 20);
}

static void lagrange_values_are_the_definition(void) {
    enum { N = 16 };
    zkr_fe w, tau = random_fr(), scale = random_fr(), out[N], scratch[N], x = fr_one, t, want;
    zkr_ntt_root(&w, 4);
    engine->k->fr_lagrange(out, &tau, &fr_one, &w, &scale, scratch, N);
    for (int i = 0; i < N; i++) {
        fr_sub(&t, &tau, &x);
        fr_inv(&t, &t);
        fr_mul(&want, &t, &x);
        fr_mul(&want, &want, &scale);
        CHECK(fr_eq(&want, &out[i]));
        fr_mul(&x, &x, &w);
    }
    CHECK(fr_eq(&x, &fr_one));
}

static void pairing_of(uint64_t out[48], const uint64_t *g1, const uint64_t *g2) {
    CHECK(zkr_pairing_product(engine, out, g1, g2, 1, NULL) == ZKR_OK);
}

/* The queries in pieces are those at once; b1 and b2 have the same scalars; nothing beyond the ends. */
static void setup_gives_its_parts(void) {
    chain s;
    make(&s);
    zkr_setup *setup;
    CHECK(zkr_setup_new(engine, &setup, &s.layout, NULL) == ZKR_OK);
    const size_t num_b = zkr_setup_count(setup, ZKR_SETUP_B1);
    const size_t counts[8] = {3, 3, 2, COLUMNS, num_b, num_b, COLUMNS - 2, DOMAIN};
    CHECK(num_b == 1 + INSTANCES); /* the constant, and y of each instance */
    for (int part = 0; part < 8; part++) {
        const size_t n = zkr_setup_count(setup, part);
        const size_t limbs = part == ZKR_SETUP_G2 || part == ZKR_SETUP_B2 ? 16 : 8;
        CHECK(n == counts[part]);
        uint64_t *const whole = malloc(n * limbs * 8), *const pieces = malloc(n * limbs * 8);
        CHECK(whole != NULL && pieces != NULL);
        CHECK(zkr_setup_points(engine, setup, whole, part, 0, n) == ZKR_OK);
        for (size_t i = 0; i < n; i++)
            CHECK(zkr_setup_points(engine, setup, pieces + i * limbs, part, i, 1) == ZKR_OK);
        CHECK(memcmp(whole, pieces, n * limbs * 8) == 0);
        CHECK(zkr_setup_points(engine, setup, whole, part, n, 0) == ZKR_OK);
        CHECK(zkr_setup_points(engine, setup, whole, part, n, 1) == ZKR_BADARGS);
        CHECK(zkr_setup_points(engine, setup, whole, part, 1, n) == ZKR_BADARGS);
        CHECK(zkr_setup_points(engine, setup, whole, part, SIZE_MAX, 2) == ZKR_BADARGS);
        CHECK(zkr_setup_points(engine, setup, NULL, part, 0, n) == ZKR_BADARGS);
        free(whole);
        free(pieces);
    }
    CHECK(zkr_setup_count(setup, 8) == 0 && zkr_setup_count(setup, -1) == 0);
    uint32_t columns[1 + INSTANCES];
    CHECK(zkr_setup_b_columns(setup, columns, num_b) == ZKR_OK);
    CHECK(columns[0] == 0);
    for (uint32_t i = 0; i < INSTANCES; i++) CHECK(columns[1 + i] == 3 + OWN * i);
    CHECK(zkr_setup_b_columns(setup, columns, num_b - 1) == ZKR_BADARGS);
    uint64_t b1[8], b2[16], left[48], right[48];
    CHECK(zkr_setup_points(engine, setup, b1, ZKR_SETUP_B1, 2, 1) == ZKR_OK);
    CHECK(zkr_setup_points(engine, setup, b2, ZKR_SETUP_B2, 2, 1) == ZKR_OK);
    pairing_of(left, b1, (const uint64_t *)&g2_generator);
    pairing_of(right, (const uint64_t *)&g1_generator, b2);
    CHECK(memcmp(left, right, sizeof left) == 0);
    zkr_setup_free(setup);
}

static void secrets_are_random_and_wiped(void) {
    zkr_fe a, b;
    for (int i = 0; i < 100; i++) {
        CHECK(zkr_random_fr(&a) == ZKR_OK && zkr_random_fr(&b) == ZKR_OK);
        CHECK(fr_is_canonical(&a) && !fr_is_zero(&a) && !fr_eq(&a, &b));
    }
    unsigned char bytes[100];
    memset(bytes, 1, sizeof bytes);
    zkr_wipe(bytes + 1, 98);
    CHECK(bytes[0] == 1 && bytes[99] == 1);
    for (int i = 1; i < 99; i++) CHECK(bytes[i] == 0);
    zkr_wipe(NULL, 0);
}

int main(void) {
    static const char *const paths[] = {"portable", "adx", "ifma"};
    RUN(secrets_are_random_and_wiped);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const int status = zkr_engine_new(&engine, paths[i], 3);
        CHECK(status == ZKR_OK || status == ZKR_UNSUPPORTED);
        if (status != ZKR_OK) continue;
        RUN(products_and_violations_are_right);
        RUN(wrong_arguments_give_a_status);
        RUN(no_layout_leads_elsewhere);
        RUN(lagrange_values_are_the_definition);
        RUN(setup_gives_its_parts);
        zkr_engine_free(engine);
    }
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
