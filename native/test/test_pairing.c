/* test_pairing.c: the tower against its own slow ways, the pairing's equations, and an ABI that takes
 * any bytes. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "pairing.h"
#include "zkr.h"

static zkr_engine *engine; /* the one under test */

static zkr_fe random_fq(void) {
    zkr_fe x;
    do {
        for (int i = 0; i < 4; i++) x.l[i] = random64();
        x.l[3] >>= 2;
    } while (!fq_is_canonical(&x));
    return x;
}

static zkr_fe2 random_fq2(void) { return (zkr_fe2){random_fq(), random_fq()}; }

static zkr_fe12 random_fq12(void) {
    return (zkr_fe12){{random_fq2(), random_fq2(), random_fq2()}, {random_fq2(), random_fq2(), random_fq2()}};
}

/* a^e for 256-bit e, by squaring and multiplying */
static zkr_fe12 power(const zkr_fe12 *a, const zkr_fe *e) {
    zkr_fe12 r;
    fq12_set_one(&r);
    for (int bit = 255; bit >= 0; bit--) {
        fq12_mul(&r, &r, &r);
        if (e->l[bit / 64] >> (bit % 64) & 1) fq12_mul(&r, &r, a);
    }
    return r;
}

static void products_have_their_special_cases(void) {
    for (int i = 0; i < 50; i++) {
        const zkr_fe12 a = random_fq12(), b = random_fq12(), c = random_fq12();
        zkr_fe12 left, right, t;
        fq12_sqr(&left, &a);
        fq12_mul(&right, &a, &a);
        CHECK(fq12_eq(&left, &right));
        fq12_mul(&left, &a, &b);
        fq12_mul(&left, &left, &c);
        fq12_mul(&right, &b, &c);
        fq12_mul(&right, &a, &right);
        CHECK(fq12_eq(&left, &right));
        fq12_inv(&t, &a);
        fq12_mul(&t, &t, &a);
        CHECK(fq12_is_one(&t));
        const zkr_fe12 line = {{b.c0.c0, fq2_zero, fq2_zero}, {b.c1.c0, b.c1.c1, fq2_zero}};
        left = a;
        fq12_mul_line(&left, &line.c0.c0, &line.c1.c0, &line.c1.c1);
        fq12_mul(&right, &a, &line);
        CHECK(fq12_eq(&left, &right));
        const zkr_fe12 unit = {{fq2_one, fq2_zero, fq2_zero}, {b.c1.c0, b.c1.c1, fq2_zero}};
        left = a;
        fq12_mul_unit_line(&left, &unit.c1.c0, &unit.c1.c1);
        fq12_mul(&right, &a, &unit);
        CHECK(fq12_eq(&left, &right));
    }
    zkr_fe12 zero, inverse;
    memset(&zero, 0, sizeof zero);
    fq12_inv(&inverse, &zero);
    CHECK(fq12_eq(&zero, &inverse));
}

static void frobenius_is_the_power_of_q(void) {
    const zkr_fe12 a = random_fq12();
    zkr_fe12 slow = a, fast;
    for (int n = 1; n <= 3; n++) {
        slow = power(&slow, &fq_modulus);
        fq12_frobenius(&fast, &a, n);
        CHECK(fq12_eq(&slow, &fast));
    }
    for (int n = 4; n <= 6; n++) slow = power(&slow, &fq_modulus);
    fq12_conj(&fast, &a);
    CHECK(fq12_eq(&slow, &fast));
}

static void cyclotomic_shortcuts_agree(void) {
    zkr_fe12 a = random_fq12(), t, left, right;
    fq12_conj(&t, &a);
    fq12_inv(&a, &a);
    fq12_mul(&a, &a, &t);
    fq12_frobenius(&t, &a, 2);
    fq12_mul(&a, &a, &t); /* a^((q^6 - 1)(q^2 + 1)) */
    fq12_cyclotomic_sqr(&left, &a);
    fq12_mul(&right, &a, &a);
    CHECK(fq12_eq(&left, &right));
    zkr_fe x = {{0, 0, 0, 0}};
    for (int i = (int)sizeof bn_x_naf - 1; i >= 0; i--) x.l[0] = 2 * x.l[0] + (uint64_t)(int64_t)bn_x_naf[i];
    CHECK(x.l[0] == 4965661367192848881ULL);
    fq12_cyclotomic_pow_x(&left, &a);
    right = power(&a, &x);
    CHECK(fq12_eq(&left, &right));
}

/* ---- ABI ------------------------------------------------------------------------------------ */

static zkr_g1 g1_times(uint64_t k) {
    const zkr_fe scalar = {{k, 0, 0, 0}};
    zkr_g1_xyzz t;
    zkr_g1 out;
    g1_scalar_mul(&t, &g1_generator, &scalar);
    g1_to_affine(&out, &t);
    return out;
}

static zkr_g2 g2_times(uint64_t k) {
    const zkr_fe scalar = {{k, 0, 0, 0}};
    zkr_g2_xyzz t;
    zkr_g2 out;
    g2_scalar_mul(&t, &g2_generator, &scalar);
    g2_to_affine(&out, &t);
    return out;
}

static void the_pairing_is_bilinear(void) {
    const zkr_g1 left_p[2] = {g1_times(1234567), g1_times(3)}, right_p[1] = {g1_times(1)};
    const zkr_g2 left_q[2] = {g2_times(89), g2_times(5)}, right_q[1] = {g2_times(1234567 * 89 + 15)};
    zkr_fe12 left, right;
    CHECK(zkr_pairing_product(engine, (uint64_t *)&left, (const uint64_t *)left_p, (const uint64_t *)left_q, 2,
                               NULL) == ZKR_OK);
    CHECK(zkr_pairing_product(engine, (uint64_t *)&right, (const uint64_t *)right_p, (const uint64_t *)right_q, 1,
                               NULL) == ZKR_OK);
    CHECK(fq12_eq(&left, &right) && !fq12_is_one(&left));
    CHECK(zkr_pairing_product(engine, (uint64_t *)&left, NULL, NULL, 0, NULL) == ZKR_OK);
    CHECK(fq12_is_one(&left));
    CHECK(zkr_pairing_product(engine, NULL, NULL, NULL, 0, NULL) == ZKR_BADARGS);
    CHECK(zkr_pairing_product(engine, (uint64_t *)&left, NULL, (const uint64_t *)left_q, 2, NULL) == ZKR_BADARGS);
    CHECK(zkr_pairing_product(NULL, (uint64_t *)&left, NULL, NULL, 0, NULL) == ZKR_BADARGS);
}

#define LIMBS (56 + 8 * 3)

/* alpha 5, beta 7, gamma 11, delta 1, ic 3, 4, 6; proof a = 100, b = 70, so that
 * c = a b - alpha beta - (3 + 4 x + 6 y) gamma, for inputs x, y */
static void verification_takes_any_bytes(void) {
    uint64_t vk[LIMBS], proof[3][32], publics[3][2][4] = {{{0}}};
    const zkr_g1 ones[4] = {g1_times(5), g1_times(3), g1_times(4), g1_times(6)};
    const zkr_g2 twos[3] = {g2_times(7), g2_times(11), g2_times(1)};
    memcpy(vk, &ones[0], 64);
    memcpy(vk + 8, twos, sizeof twos);
    memcpy(vk + 56, &ones[1], 3 * 64);
    const zkr_g1 a = g1_times(100), c = g1_times(100 * 70 - 35 - (3 + 4 * 10 + 6 * 20) * 11);
    const zkr_g2 b = g2_times(70);
    for (int i = 0; i < 3; i++) {
        memcpy(proof[i], &a, sizeof a);
        memcpy(proof[i] + 8, &b, sizeof b);
        memcpy(proof[i] + 24, &c, sizeof c);
        publics[i][0][0] = 10;
        publics[i][1][0] = 20;
    }
    uint8_t holds[3];
    size_t bad;
    const uint64_t *pub = &publics[0][0][0];
    publics[1][1][0] = 21;
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, proof[0], pub, 3, &bad) == ZKR_OK);
    CHECK(holds[0] == 1 && holds[1] == 0 && holds[2] == 1);

    for (int i = 0; i < 200; i++) { /* garbage in proofs and inputs is false, never worse */
        uint64_t wrong[32], input[2][4];
        memcpy(wrong, proof[0], sizeof wrong);
        memcpy(input, publics[0], sizeof input);
        const uint64_t values[] = {0, 1, UINT64_MAX, random64(), FQ_P_0, FQ_P_3};
        const uint64_t value = values[random64() % 6];
        const size_t at = random64() % 40;
        uint64_t *const word = at < 32 ? &wrong[at] : &input[(at - 32) / 4][at % 4];
        if (*word == value) continue;
        *word = value;
        CHECK(zkr_groth16_verify(engine, holds, vk, 2, wrong, &input[0][0], 1, NULL) == ZKR_OK);
        CHECK(holds[0] == 0);
    }
    for (size_t at = 0; at < LIMBS; at++) { /* a key is refused, naming its point */
        const uint64_t before = vk[at];
        vk[at] ^= (uint64_t)1 << (random64() % 64);
        CHECK(zkr_groth16_verify(engine, holds, vk, 2, proof[0], pub, 3, &bad) == ZKR_BADARGS);
        CHECK(bad == (at < 8 ? 0 : at < 24 ? 1 : at < 40 ? 2 : at < 56 ? 3 : 4 + (at - 56) / 8));
        vk[at] = before;
    }
    memcpy(vk + 40, vk + 24, 128);
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, proof[0], pub, 3, &bad) == ZKR_BADARGS && bad == 3);
    memcpy(vk + 40, &twos[2], 128);
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, NULL, NULL, 0, NULL) == ZKR_OK);
    CHECK(zkr_groth16_verify(engine, NULL, vk, 2, proof[0], pub, 3, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(engine, holds, NULL, 2, proof[0], pub, 3, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, NULL, pub, 3, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, proof[0], NULL, 3, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(engine, holds, vk, SIZE_MAX, proof[0], pub, 3, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(engine, holds, vk, 2, proof[0], pub, SIZE_MAX / 16, NULL) == ZKR_BADARGS);
    CHECK(zkr_groth16_verify(NULL, holds, vk, 2, proof[0], pub, 3, NULL) == ZKR_BADARGS);
}

int main(void) {
    static const char *const paths[] = {"portable", "adx", "ifma"};
    RUN(products_have_their_special_cases);
    RUN(frobenius_is_the_power_of_q);
    RUN(cyclotomic_shortcuts_agree);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const int status = zkr_engine_new(&engine, paths[i], 3);
        CHECK(status == ZKR_OK || status == ZKR_UNSUPPORTED);
        if (status != ZKR_OK) continue;
        RUN(the_pairing_is_bilinear);
        RUN(verification_takes_any_bytes);
        zkr_engine_free(engine);
    }
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
