/* test_ifma.c: eight-lane arithmetic in radix 2^52 against the 64-bit field, for both primes: edge
 * values, every representative that the bounds allow, and the largest one, 2^260 - 1. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512ifma,bmi2,adx")
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "field.h"
#include "ifma52.h"
#include "ifma_inverse.h"
#include "inverse_vartime.h"
#include "zkr.h"

typedef struct {
    const zkr_f52 *f;
    const zkr_fe *modulus, *one;
    void (*add)(zkr_fe *, const zkr_fe *, const zkr_fe *);
    void (*sub)(zkr_fe *, const zkr_fe *, const zkr_fe *);
    void (*mul)(zkr_fe *, const zkr_fe *, const zkr_fe *);
    void (*inverse)(zkr_fe *, const zkr_fe *);
    void (*from_mont)(zkr_fe *, const zkr_fe *);
    zkr_invert_fn invert[2]; /* of integers, by two ways */
} field;

static const field *k; /* the field under test */

#define MINUS_INVERSE_fr FR_INV
#define MINUS_INVERSE_fq FQ_INV
#define WRAP(p)                                                                                     \
    static void p##_add_(zkr_fe *o, const zkr_fe *a, const zkr_fe *b) { p##_add(o, a, b); }         \
    static void p##_sub_(zkr_fe *o, const zkr_fe *a, const zkr_fe *b) { p##_sub(o, a, b); }         \
    static void p##_mul_(zkr_fe *o, const zkr_fe *a, const zkr_fe *b) { p##_mul(o, a, b); }         \
    static void p##_inv_(zkr_fe *o, const zkr_fe *a) { p##_inv(o, a); }                             \
    static void p##_from_mont_(zkr_fe *o, const zkr_fe *a) { p##_from_mont(o, a); }                 \
    static void p##_invert_by_divsteps(zkr_fe *o, const zkr_fe *a) {                                \
        zkr_inverse_vartime(o->l, a->l, p##_modulus.l, 0 - MINUS_INVERSE_##p);                      \
    }                                                                                               \
    static void p##_invert_by_fermat(zkr_fe *o, const zkr_fe *a) {                                  \
        p##_to_mont(o, a);                                                                          \
        p##_inv(o, o);                                                                              \
        p##_from_mont(o, o);                                                                        \
    }
WRAP(fr)
WRAP(fq)

/* Montgomery (2^256), reduced: an edge or anything */
static zkr_fe element(void) {
    zkr_fe x = {{0, 0, 0, 0}};
    switch (random64() % 8) {
    case 0: return x;
    case 1: return *k->one;
    case 2: k->sub(&x, &x, k->one); return x;
    case 3: x.l[0] = 1; return x;
    case 4: x = *k->modulus; x.l[0]--; return x;
    default:
        for (int i = 0; i < 4; i++) x.l[i] = random64();
        x.l[3] %= k->modulus->l[3];
        return x;
    }
}

/* X = 16 x + multiple p, lane by lane; the caller keeps it below 2^260 */
static void lift(zkr_v52 *out, const zkr_fe x[8], const uint64_t multiple[8]) {
    __m512i words[4];
    zkr_v52_load_words(words, x[0].l);
    zkr_v52_split(out, words, 4);
    const __m512i m = _mm512_loadu_si512((const void *)multiple);
    for (int j = 0; j < 5; j++)
        out->l[j] = _mm512_add_epi64(out->l[j], _mm512_mullo_epi64(m, zkr_v52_set1(k->f->p[j])));
    zkr_v52_tidy(out);
}

/* any X below 2^260 -> x * 2^256 reduced */
static void lower(zkr_fe out[8], const zkr_v52 *x) {
    zkr_v52 t;
    __m512i words[4];
    for (int j = 0; j < 5; j++) {
        uint64_t limb[8];
        _mm512_storeu_si512((void *)limb, x->l[j]);
        for (int l = 0; l < 8; l++) CHECK(limb[l] >> 52 == 0);
    }
    zkr_v52_reduce(&t, x, k->f);
    zkr_v52_to_mont256(&t, &t, k->f);
    zkr_v52_join(words, &t);
    zkr_v52_store_words(out[0].l, words);
}

static void expect_equal(const zkr_v52 *got, const zkr_fe want[8]) {
    zkr_fe lowered[8];
    lower(lowered, got);
    for (int l = 0; l < 8; l++) CHECK(zkr_fe_eq(&lowered[l], &want[l]));
}

static void arithmetic_agrees_with_the_64_bit_field(void) {
    for (int round = 0; round < 4000; round++) {
        zkr_fe a[8], b[8], want[8];
        uint64_t ma[8], mb[8];
        zkr_v52 x, y, z;
        const uint64_t most = round % 2 ? 67 : 20; /* 16 + 67 < 84, and sums of two below 84 */
        for (int l = 0; l < 8; l++) {
            a[l] = element();
            b[l] = random64() % 8 ? element() : a[l];
            ma[l] = random64() % 4 ? random64() % (most + 1) : most;
            mb[l] = random64() % 4 ? random64() % (most + 1) : most;
        }
        lift(&x, a, ma);
        lift(&y, b, mb);
        expect_equal(&x, a);

        for (int l = 0; l < 8; l++) k->mul(&want[l], &a[l], &b[l]);
        zkr_v52_mul(&z, &x, &y, k->f);
        expect_equal(&z, want);
        for (int l = 0; l < 8; l++) k->mul(&want[l], &a[l], &a[l]);
        zkr_v52_sqr(&z, &x, k->f);
        expect_equal(&z, want);

        uint64_t factor[5];
        zkr_fe unshifted[8];
        for (int l = 0; l < 8; l++) unshifted[l] = b[0];
        lift(&y, unshifted, mb);
        for (int j = 0; j < 5; j++) factor[j] = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(y.l[j]));
        for (int l = 0; l < 8; l++) k->mul(&want[l], &a[l], &b[0]);
        zkr_v52_mul1(&z, &x, factor, k->f);
        expect_equal(&z, want);
        lift(&y, b, mb);

        if (most == 20) {
            for (int l = 0; l < 8; l++) k->add(&want[l], &a[l], &b[l]);
            zkr_v52_add(&z, &x, &y);
            expect_equal(&z, want);
            for (int l = 0; l < 8; l++) k->sub(&want[l], &a[l], &b[l]);
            zkr_v52_sub(&z, &x, &y, 36, k->f);
            expect_equal(&z, want);
        }

        uint64_t zeros = 0;
        for (int l = 0; l < 8; l++) zeros |= (uint64_t)zkr_fe_is_zero(&a[l]) << l;
        CHECK(zkr_v52_is_zero(&x, k->f) == zeros);
        __m512i words[4];
        zkr_fe integer[8];
        zkr_v52_to_integer(&z, &x, k->f);
        zkr_v52_join(words, &z);
        zkr_v52_store_words(integer[0].l, words);
        for (int l = 0; l < 8; l++) {
            k->from_mont(&want[l], &a[l]);
            CHECK(zkr_fe_eq(&integer[l], &want[l]));
        }
    }
}

/* sums of 64 products of the largest factors, with the largest addend beside them */
static void sums_of_products_do_not_overflow(void) {
    zkr_fe a[8], want[8];
    uint64_t multiple[8];
    zkr_v52 x, y, addend, z;
    for (int l = 0; l < 8; l++) {
        a[l] = *k->modulus;
        a[l].l[0]--;
        multiple[l] = 0;
    }
    lift(&x, a, multiple);
    zkr_v52_canonical(&y, &x, k->f);
    for (int l = 0; l < 8; l++) multiple[l] = 24;
    lift(&addend, a, multiple);
    zkr_v52_wide t;
    zkr_v52_wide_zero(&t);
    for (int l = 0; l < 8; l++) want[l] = a[l];
    for (int i = 0; i < 64; i++) {
        zkr_v52_wide_mac(&t, &x, &y);
        for (int l = 0; l < 8; l++) {
            zkr_fe product;
            k->mul(&product, &a[l], &a[l]);
            k->add(&want[l], &want[l], &product);
        }
    }
    zkr_v52_wide_reduce(&z, &t, &addend, k->f);
    expect_equal(&z, want);
}

static void the_largest_representative_is_handled(void) {
    zkr_v52 x, y, z;
    zkr_fe one[8], got[8], again[8];
    for (int j = 0; j < 5; j++) x.l[j] = zkr_v52_set1(ZKR_V52_MASK);
    lower(got, &x);
    for (int l = 0; l < 8; l++) CHECK(got[l].l[3] <= k->modulus->l[3]);
    zkr_v52_canonical(&y, &x, k->f);
    lower(again, &y);
    CHECK(memcmp(got, again, sizeof got) == 0);
    zkr_v52_mul1(&z, &x, k->f->one, k->f);
    expect_equal(&z, got);
    zkr_v52_inverse(&y, &x, k->f, k->invert[0]);
    zkr_v52_mul(&z, &y, &x, k->f);
    for (int l = 0; l < 8; l++) one[l] = *k->one;
    expect_equal(&z, one);
}

static void inverses_agree_with_fermat(void) {
    for (int round = 0; round < 60; round++) {
        zkr_fe a[8], want[8];
        uint64_t multiple[8];
        zkr_v52 x;
        for (int l = 0; l < 8; l++) {
            a[l] = element();
            multiple[l] = random64() % 68;
            k->inverse(&want[l], &a[l]);
        }
        lift(&x, a, multiple);
        zkr_v52_inverse(&x, &x, k->f, k->invert[round % 2]);
        expect_equal(&x, want);
    }
}

static void rows_and_columns_are_inverse(void) {
    uint64_t rows[32], again[32], apart[8 * 11];
    __m512i words[4];
    for (uint64_t i = 0; i < 32; i++) rows[i] = i;
    zkr_v52_load_words(words, rows);
    for (uint64_t j = 0; j < 4; j++) {
        uint64_t column[8];
        _mm512_storeu_si512((void *)column, words[j]);
        for (uint64_t l = 0; l < 8; l++) CHECK(column[l] == 4 * l + j);
    }
    zkr_v52_store_words(again, words);
    CHECK(memcmp(rows, again, sizeof rows) == 0);
    memset(apart, 0, sizeof apart);
    zkr_v52_store_words_strided(apart, 11, words);
    for (uint64_t l = 0; l < 8; l++) CHECK(memcmp(&apart[11 * l], &rows[4 * l], 32) == 0 && apart[11 * l + 4] == 0);
    zkr_v52_load_words_strided(words, apart, 11);
    zkr_v52_store_words(again, words);
    CHECK(memcmp(rows, again, sizeof rows) == 0);
}

int main(void) {
    if (zkr_cpu_available("ifma") != ZKR_OK) {
        puts("test_ifma: skipped, no AVX-512 IFMA here");
        return 0;
    }
    const field fields[2] = {
        {&zkr_f52_fr, &fr_modulus, &fr_one, fr_add_, fr_sub_, fr_mul_, fr_inv_, fr_from_mont_,
         {fr_invert_by_divsteps, fr_invert_by_fermat}},
        {&zkr_f52_fq, &fq_modulus, &fq_one, fq_add_, fq_sub_, fq_mul_, fq_inv_, fq_from_mont_,
         {fq_invert_by_divsteps, fq_invert_by_fermat}},
    };
    RUN(rows_and_columns_are_inverse);
    for (k = fields; k < fields + 2; k++) {
        RUN(arithmetic_agrees_with_the_64_bit_field);
        RUN(sums_of_products_do_not_overflow);
        RUN(the_largest_representative_is_handled);
        RUN(inverses_agree_with_fermat);
    }
    return 0;
}
#else
#include <stdio.h>
int main(void) {
    puts("test_ifma: skipped, not x86-64");
    return 0;
}
#endif
