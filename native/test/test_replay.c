/* test_replay.c: tapes of every instruction on every path, refusals, and tapes of random words. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "field.h"
#include "inverse_vartime.h"
#include "replay.h"
#include "zkr.h"

#define T 0x80000000u
enum { MUL = 1, LC = 2, ADD = 3, SUB = 4, COPY = 5, BITS = 16, INVERSE = 17, DIVIDE = 18, IS_ZERO = 19, DIVMOD = 20, LESS = 21 };
#define OP(code, words) ((uint32_t)(code) | (uint32_t)(words) << 8)

static zkr_fe element(void) {
    zkr_fe x = {{0, 0, 0, 0}};
    switch (random64() % 6) {
    case 0: return x;
    case 1: return fr_one;
    case 2: fr_sub(&x, &x, &fr_one); return x;
    case 3: fr_from_u64(&x, random64() >> (random64() % 64)); return x;
    default:
        for (int i = 0; i < 4; i++) x.l[i] = random64();
        x.l[3] %= fr_modulus.l[3];
        return x;
    }
}

static void make_constants(zkr_fe constants[5]) {
    memset(constants, 0, 5 * sizeof *constants);
    constants[1] = fr_one;
    fr_sub(&constants[2], &constants[0], &fr_one);
    constants[3] = element();
    constants[4] = constants[2];
}

static const char *const paths[] = {"portable", "adx", "ifma"};

/* Columns: 0 one, 1 link, 2 and 3 inputs, then 34 own wires; temporaries 0 .. 9. */
static const uint32_t everything[] = {
    OP(MUL, 4), T | 0, 2, 3,
    OP(ADD, 4), 4, T | 0, 1,
    OP(SUB, 4), 5, 2, T | 0,
    OP(COPY, 3), T | 1, 5,
    OP(LC, 13), 6, 3, 4, 1, 5, 2, T | 1, 3, 2, 4, 0, 0,
    OP(LC, 3), 7, 3,
    OP(INVERSE, 3), 8, 2,
    OP(DIVIDE, 4), 9, 3, 2,
    OP(IS_ZERO, 3), 10, 2,
    OP(DIVMOD, 5), 11, T | 2, 2, 3,
    OP(LESS, 4), 12, 2, 3,
    OP(BITS, 4), 13, 6, 20,
    OP(BITS, 4), T | 3, 2, 7,
    OP(ADD, 4), T | 0, T | 9, T | 0,
    OP(COPY, 3), 33, T | 2,
    OP(LC, 7), 34, 0, T | 0, 1, T | 3, 4,
    OP(MUL, 4), 35, 35 - 1, 35 - 1,
    OP(COPY, 3), 36, T | 0,
    OP(COPY, 3), 37, 1,
};
enum { NUM_LINKS = 2, NUM_INPUTS = 2, NUM_OWN = 36, NUM_TEMPORARIES = 10 };

/* The same by hand, for one instance; out[i] is column i + NUM_LINKS. */
static void by_hand(zkr_fe *out, const zkr_fe *links, const zkr_fe *inputs, const zkr_fe *constants) {
    const zkr_fe a = inputs[0], b = inputs[1], zero = {{0, 0, 0, 0}};
    zkr_fe t0, t, ai, bi, q, r, *w = out - NUM_LINKS;
    uint64_t borrow = 0;
    w[2] = a;
    w[3] = b;
    fr_mul(&t0, &a, &b);
    fr_add(&w[4], &t0, &links[1]);
    fr_sub(&w[5], &a, &t0);
    fr_mul(&t, &w[5], &constants[3]);
    fr_add(&w[6], &constants[3], &w[4]);
    fr_sub(&w[6], &w[6], &w[5]);
    fr_add(&w[6], &w[6], &t);
    fr_sub(&w[6], &w[6], &a);
    w[7] = constants[3];
    fr_inv(&w[8], &a);
    fr_mul(&w[9], &b, &w[8]);
    w[10] = zkr_fe_is_zero(&a) ? fr_one : zero;
    fr_from_mont(&ai, &a);
    fr_from_mont(&bi, &b);
    zkr_u256_divmod(&q, &r, &ai, &bi);
    fr_to_mont(&w[11], &q);
    fr_to_mont(&w[33], &r);
    for (int i = 0; i < 4; i++) (void)zkr_sbb(ai.l[i], bi.l[i], &borrow);
    w[12] = borrow ? fr_one : zero;
    fr_from_mont(&t, &w[6]);
    for (int i = 0; i < 20; i++) w[13 + i] = t.l[0] >> i & 1 ? fr_one : zero;
    if (ai.l[0] >> 6 & 1) fr_add(&t0, &t0, &fr_one);
    w[34] = t0;
    if (ai.l[0] & 1) fr_sub(&w[34], &w[34], &fr_one);
    fr_mul(&w[35], &w[34], &w[34]);
    w[36] = t0;
    w[37] = links[1];
}

static zkr_program *compile(const zkr_fe *constants) {
    zkr_program *p;
    size_t offset;
    CHECK(zkr_program_new(&p, everything, sizeof everything / 4, constants[0].l, 5, NUM_LINKS, NUM_INPUTS, NUM_OWN,
                           NUM_TEMPORARIES, &offset) == ZKR_OK);
    CHECK(zkr_program_scratch(p) > 0 && zkr_program_scratch(p) % 64 == 0);
    return p;
}

static void every_instruction_does_what_it_says(void) {
    zkr_fe constants[5];
    make_constants(constants);
    zkr_program *p = compile(constants);
    for (int i = 0; i < 3; i++) {
        if (zkr_cpu_available(paths[i]) != ZKR_OK) continue;
        zkr_engine *engine;
        CHECK(zkr_engine_new(&engine, paths[i], 3) == ZKR_OK);
        for (size_t n = 1; n < 42; n += n < 18 ? 1 : 8) {
            zkr_fe *links = malloc(n * NUM_LINKS * sizeof(zkr_fe)), *inputs = malloc(n * NUM_INPUTS * sizeof(zkr_fe));
            zkr_fe *out = malloc(n * NUM_OWN * sizeof(zkr_fe)), want[NUM_OWN];
            CHECK(links != NULL && inputs != NULL && out != NULL);
            for (size_t k = 0; k < n; k++) {
                links[2 * k] = fr_one;
                links[2 * k + 1] = element();
                inputs[2 * k] = element();
                inputs[2 * k + 1] = element();
            }
            size_t bad;
            CHECK(zkr_replay(engine, p, out[0].l, links[0].l, inputs[0].l, n, &bad) == ZKR_OK);
            for (size_t k = 0; k < n; k++) {
                by_hand(want, &links[2 * k], &inputs[2 * k], constants);
                CHECK(memcmp(want, &out[k * NUM_OWN], sizeof want) == 0);
            }
            free(links);
            free(inputs);
            free(out);
        }
        zkr_engine_free(engine);
    }
    zkr_program_free(p);
}

static void wrong_arguments_give_a_status(void) {
    zkr_fe constants[5], links[2] = {fr_one, fr_one}, inputs[2] = {fr_one, fr_one}, out[NUM_OWN];
    make_constants(constants);
    const uint64_t *c = constants[0].l;
    const size_t n = sizeof everything / 4;
    zkr_program *p = NULL;
    size_t bad;
    CHECK(zkr_program_new(NULL, everything, n, c, 5, 2, 2, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, NULL, n, c, 5, 2, 2, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, NULL, 5, 2, 2, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 2, 2, 2, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 0, 2, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 37, 36, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, UINT32_MAX, 10, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, 36, UINT32_MAX, &bad) == ZKR_BADARGS);
    CHECK(zkr_program_new(&p, everything, n, c, 3, 2, 2, 36, 10, &bad) == ZKR_TAPE_CONSTANT);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, 36, 9, &bad) == ZKR_TAPE_DESTINATION);
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, 37, 10, &bad) == ZKR_TAPE_MISSING && bad == 36);
    CHECK(zkr_program_new(&p, everything, n - 1, c, 5, 2, 2, 36, 10, &bad) == ZKR_TAPE_TRUNCATED);
    constants[1] = constants[2];
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, 36, 10, &bad) == ZKR_TAPE_CONSTANTS && bad == 1);
    constants[1] = fr_one;
    constants[4] = fr_modulus;
    CHECK(zkr_program_new(&p, everything, n, c, 5, 2, 2, 36, 10, NULL) == ZKR_NOTCANONICAL);
    CHECK(p == NULL);
    zkr_program_free(NULL);
    make_constants(constants);
    p = compile(constants);
    zkr_engine *engine;
    CHECK(zkr_engine_new(&engine, "", 2) == ZKR_OK);
    CHECK(zkr_replay(NULL, p, out[0].l, links[0].l, inputs[0].l, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, NULL, out[0].l, links[0].l, inputs[0].l, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, p, NULL, links[0].l, inputs[0].l, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, p, out[0].l, NULL, inputs[0].l, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, p, out[0].l, links[0].l, NULL, 1, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, p, out[0].l, links[0].l, inputs[0].l, SIZE_MAX / 8, &bad) == ZKR_BADARGS);
    CHECK(zkr_replay(engine, p, NULL, NULL, NULL, 0, &bad) == ZKR_OK);
    inputs[1] = fr_modulus;
    CHECK(zkr_replay(engine, p, out[0].l, links[0].l, inputs[0].l, 1, &bad) == ZKR_NOTCANONICAL && bad == 3);
    inputs[1] = fr_one;
    links[0].l[0]--;
    CHECK(zkr_replay(engine, p, out[0].l, links[0].l, inputs[0].l, 1, &bad) == ZKR_TAPE_NOT_ONE && bad == 0);
    zkr_engine_free(engine);
    zkr_program_free(p);
}

/* Tapes of words that look right now and then: refused, or the same on all paths. */
static void random_tapes_are_refused_or_agree(void) {
    static const uint32_t ops[] = {MUL, LC, ADD, SUB, COPY, BITS, INVERSE, DIVIDE, IS_ZERO, DIVMOD, LESS, 0, 6, 22, 255};
    zkr_fe constants[5], links[18], inputs[18], out[3][9 * 8];
    uint32_t words[64];
    size_t accepted = 0;
    make_constants(constants);
    zkr_engine *engines[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3; i++)
        if (zkr_cpu_available(paths[i]) == ZKR_OK) CHECK(zkr_engine_new(&engines[i], paths[i], 2) == ZKR_OK);
    for (int round = 0; round < 60000; round++) {
        size_t n = 0;
        uint32_t own = 2;
        while (n < 48 && random64() % 12 != 0) {
            const uint32_t op = ops[random64() % (random64() % 16 ? 11 : sizeof ops / 4)];
            const uint32_t length = op == LC ? 3 + 2 * (uint32_t)(random64() % 3)
                                    : op == COPY || op == INVERSE || op == IS_ZERO ? 3
                                    : op == DIVMOD ? 5 : 4;
            words[n++] = OP(op, random64() % 40 ? length : random64() % 8);
            for (uint32_t i = 1; i < length; i++) {
                const uint32_t temporary = T | (uint32_t)(random64() % 3);
                const bool result = i == 1 || (op == DIVMOD && i == 2);
                if (result)
                    words[n++] = own < 8 && random64() % 2 ? 2 + own++ : temporary;
                else
                    words[n++] = random64() % 4 ? (uint32_t)(random64() % 5) : temporary;
            }
        }
        if (random64() % 8 == 0 && n > 0) words[random64() % n] = (uint32_t)random64();
        zkr_program *p;
        size_t offset;
        if (zkr_program_new(&p, words, n, constants[0].l, 5, 2, 2, own, 3, &offset) != ZKR_OK) {
            CHECK(offset <= n || offset < 8);
            continue;
        }
        accepted++;
        for (size_t k = 0; k < 9; k++) {
            links[2 * k] = fr_one;
            links[2 * k + 1] = element();
            inputs[2 * k] = element();
            inputs[2 * k + 1] = element();
        }
        for (int i = 0; i < 3; i++) {
            if (engines[i] == NULL) continue;
            CHECK(zkr_replay(engines[i], p, out[i][0].l, links[0].l, inputs[0].l, 9, NULL) == ZKR_OK);
            CHECK(memcmp(out[i], out[0], 9 * own * sizeof(zkr_fe)) == 0);
        }
        zkr_program_free(p);
    }
    CHECK(accepted > 500);
    for (int i = 0; i < 3; i++) zkr_engine_free(engines[i]);
}

static void the_fast_inverse_agrees_with_fermat(void) {
    for (int i = 0; i < 3000; i++) {
        zkr_fe a = element(), want, got;
        if (i < 254) {
            a = (zkr_fe){{0, 0, 0, 0}};
            a.l[i / 64] = (uint64_t)1 << (i % 64);
            if (!fr_is_canonical(&a)) continue;
        }
        fr_to_mont(&want, &a);
        fr_inv(&want, &want);
        fr_from_mont(&want, &want);
        zkr_inverse_vartime(got.l, a.l, fr_modulus.l, 0 - FR_INV);
        CHECK(zkr_fe_eq(&got, &want));
    }
}

int main(void) {
    RUN(the_fast_inverse_agrees_with_fermat);
    RUN(every_instruction_does_what_it_says);
    RUN(wrong_arguments_give_a_status);
    RUN(random_tapes_are_refused_or_agree);
    return 0;
}
