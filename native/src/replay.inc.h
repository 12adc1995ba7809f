/* replay.inc.h: a compiled tape over up to eight instances, one lane after the other; included once
 * per 64-bit instruction set. A slot is eight reduced elements; all operands of an instruction are
 * read before its result is written, because they may share a slot. */
#include "replay.h"
#include "inverse_vartime.h"

#define REPLAY_SLOT(i) ((zkr_fe *)(void *)((char *)block->slots + (size_t)(i) * ZKR_SLOT_BYTES))

ZKR_INLINE void replay_store(const zkr_program *p, const zkr_replay_block *block, const uint32_t *dst, size_t lane,
                             const zkr_fe *x) {
    REPLAY_SLOT(dst[0])[lane] = *x;
    if (dst[1] != ZKR_NO_WIRE) block->out[lane * p->num_own + dst[1]] = *x;
}

/* 1/a in each lane, 0 for 0: Montgomery's trick over the lanes, then one inversion. The inverse of
 * x * 2^256 read as an integer is x^-1 * 2^-256; times 2^768 / 2^256 it is Montgomery again. */
static void replay_inverse(zkr_fe *out, const zkr_fe *a, size_t lanes) {
    zkr_fe before[ZKR_LANES], acc = fr_one, r3;
    for (size_t l = 0; l < lanes; l++) {
        before[l] = acc;
        if (!fr_is_zero(&a[l])) fr_mul(&acc, &acc, &a[l]);
    }
    zkr_inverse_vartime(acc.l, acc.l, fr_modulus.l, 0 - FR_INV);
    fr_mul(&r3, &fr_r2, &fr_r2);
    fr_mul(&acc, &acc, &r3);
    for (size_t l = lanes; l-- > 0;) {
        const zkr_fe x = a[l];
        if (fr_is_zero(&x)) {
            out[l] = x;
        } else {
            fr_mul(&out[l], &acc, &before[l]);
            fr_mul(&acc, &acc, &x);
        }
    }
}

static const uint32_t *replay_linear(const zkr_program *p, const zkr_replay_block *block, const uint32_t *w) {
    const uint32_t num_plus = w[4], num_minus = w[5], num_terms = w[6];
    const uint32_t *plus = w + 7, *minus = plus + num_plus, *terms = minus + num_minus;
    for (size_t l = 0; l < block->lanes; l++) {
        zkr_fe sum = p->constants[w[2]], product;
        for (uint32_t i = 0; i < num_plus; i++) fr_add(&sum, &sum, &REPLAY_SLOT(plus[i])[l]);
        for (uint32_t i = 0; i < num_minus; i++) fr_sub(&sum, &sum, &REPLAY_SLOT(minus[i])[l]);
        for (uint32_t i = 0; i < num_terms; i++) {
            fr_mul(&product, &REPLAY_SLOT(terms[2 * i])[l], &p->constants[terms[2 * i + 1]]);
            fr_add(&sum, &sum, &product);
        }
        replay_store(p, block, w, l, &sum);
    }
    return terms + 2 * num_terms;
}

static void replay_kernel(const zkr_program *p, const zkr_replay_block *block) {
    static const zkr_fe zero = {{0, 0, 0, 0}};
    const size_t lanes = block->lanes;
    const uint32_t *w = p->code;
    zkr_fe x, y, inverse[ZKR_LANES];
    for (;;) {
        const uint32_t op = *w++ & 0xff;
        switch (op) {
        case ZKR_REPLAY_LINK:
            for (size_t l = 0; l < lanes; l++) REPLAY_SLOT(w[0])[l] = block->links[l * p->num_links + w[1]];
            w += 2;
            break;
        case ZKR_REPLAY_INPUT:
            for (size_t l = 0; l < lanes; l++) REPLAY_SLOT(w[0])[l] = block->inputs[l * p->num_inputs + w[1]];
            w += 2;
            break;
        case ZKR_REPLAY_MUL:
            for (size_t l = 0; l < lanes; l++) {
                fr_mul(&x, &REPLAY_SLOT(w[2])[l], &REPLAY_SLOT(w[3])[l]);
                replay_store(p, block, w, l, &x);
            }
            w += 4;
            break;
        case ZKR_REPLAY_ADD:
            for (size_t l = 0; l < lanes; l++) {
                fr_add(&x, &REPLAY_SLOT(w[2])[l], &REPLAY_SLOT(w[3])[l]);
                replay_store(p, block, w, l, &x);
            }
            w += 4;
            break;
        case ZKR_REPLAY_SUB:
            for (size_t l = 0; l < lanes; l++) {
                fr_sub(&x, &REPLAY_SLOT(w[2])[l], &REPLAY_SLOT(w[3])[l]);
                replay_store(p, block, w, l, &x);
            }
            w += 5;
            break;
        case ZKR_REPLAY_COPY:
            for (size_t l = 0; l < lanes; l++) {
                x = REPLAY_SLOT(w[2])[l];
                replay_store(p, block, w, l, &x);
            }
            w += 3;
            break;
        case ZKR_REPLAY_LINEAR: w = replay_linear(p, block, w); break;
        case ZKR_REPLAY_BITS:
            for (size_t l = 0; l < lanes; l++) {
                fr_from_mont(&x, &REPLAY_SLOT(w[0])[l]);
                for (uint32_t i = 0; i < w[1]; i++)
                    replay_store(p, block, w + 2 + 2 * i, l, x.l[i / 64] >> (i % 64) & 1 ? &fr_one : &zero);
            }
            w += 2 + 2 * w[1];
            break;
        case ZKR_REPLAY_INVERSE:
            replay_inverse(inverse, REPLAY_SLOT(w[2]), lanes);
            for (size_t l = 0; l < lanes; l++) replay_store(p, block, w, l, &inverse[l]);
            w += 3;
            break;
        case ZKR_REPLAY_DIVIDE:
            replay_inverse(inverse, REPLAY_SLOT(w[3]), lanes);
            for (size_t l = 0; l < lanes; l++) {
                fr_mul(&x, &REPLAY_SLOT(w[2])[l], &inverse[l]);
                replay_store(p, block, w, l, &x);
            }
            w += 4;
            break;
        case ZKR_REPLAY_IS_ZERO:
            for (size_t l = 0; l < lanes; l++)
                replay_store(p, block, w, l, fr_is_zero(&REPLAY_SLOT(w[2])[l]) ? &fr_one : &zero);
            w += 3;
            break;
        case ZKR_REPLAY_DIVMOD:
            for (size_t l = 0; l < lanes; l++) {
                fr_from_mont(&x, &REPLAY_SLOT(w[4])[l]);
                fr_from_mont(&y, &REPLAY_SLOT(w[5])[l]);
                zkr_u256_divmod(&x, &y, &x, &y);
                fr_to_mont(&x, &x);
                fr_to_mont(&y, &y);
                replay_store(p, block, w, l, &x);
                replay_store(p, block, w + 2, l, &y);
            }
            w += 6;
            break;
        case ZKR_REPLAY_LESS:
            for (size_t l = 0; l < lanes; l++) {
                uint64_t borrow = 0;
                fr_from_mont(&x, &REPLAY_SLOT(w[2])[l]);
                fr_from_mont(&y, &REPLAY_SLOT(w[3])[l]);
                for (int i = 0; i < 4; i++) (void)zkr_sbb(x.l[i], y.l[i], &borrow);
                replay_store(p, block, w, l, borrow ? &fr_one : &zero);
            }
            w += 4;
            break;
        default: return; /* ZKR_REPLAY_END */
        }
    }
}

#undef REPLAY_SLOT

static void fill_replay(zkr_kernels *k) { k->replay = replay_kernel; }
