/* ifma_replay.inc.h: a compiled tape over eight instances at a time; included by kernels_ifma.c.
 *
 * A slot is one zkr_v52: eight lazily reduced values x * 2^260, their bounds settled by the compiler
 * (replay.h). A block with fewer instances repeats its last one in the lanes left over and does not
 * store them. All operands of an instruction are read before its result is written, because they may
 * share a slot.
 */
#include "ifma_inverse.h"
#include "inverse_vartime.h"
#include "replay.h"

typedef struct {
    const zkr_program *p;
    const zkr_replay_block *block;
    zkr_v52 *slots;
    size_t link_at[ZKR_LANES], input_at[ZKR_LANES]; /* element offset of each lane's row */
} ifma_replay;

_Static_assert(sizeof(zkr_v52) == ZKR_SLOT_BYTES, "a slot holds one vector of elements");

/* Words of eight lanes -> the output wire of the instances there are */
ZKR_V52_INLINE void ifma_replay_put(const ifma_replay *s, uint32_t wire, const __m512i words[4]) {
    const size_t stride = s->p->num_own;
    zkr_fe *out = s->block->out + wire;
    if (s->block->lanes == ZKR_LANES) {
        zkr_v52_store_words_strided(out->l, 4 * stride, words);
        return;
    }
    zkr_fe rows[ZKR_LANES];
    zkr_v52_store_words(rows[0].l, words);
    for (size_t l = 0; l < s->block->lanes; l++) out[l * stride] = rows[l];
}

ZKR_V52_INLINE void ifma_replay_store(const ifma_replay *s, const uint32_t *dst, const zkr_v52 *x) {
    s->slots[dst[0]] = *x;
    if (dst[1] == ZKR_NO_WIRE) return;
    zkr_v52 reduced;
    __m512i words[4];
    zkr_v52_to_mont256(&reduced, x, &zkr_f52_fr);
    zkr_v52_join(words, &reduced);
    ifma_replay_put(s, dst[1], words);
}

/* one where the bit is set, else zero */
ZKR_V52_INLINE void ifma_replay_store_bool(const ifma_replay *s, const uint32_t *dst, __mmask8 bit) {
    zkr_v52 x;
    __m512i words[4];
    for (int j = 0; j < 5; j++) x.l[j] = _mm512_maskz_mov_epi64(bit, zkr_v52_set1(zkr_f52_fr.one[j]));
    s->slots[dst[0]] = x;
    if (dst[1] == ZKR_NO_WIRE) return;
    for (int j = 0; j < 4; j++) words[j] = _mm512_maskz_mov_epi64(bit, zkr_v52_set1(fr_one.l[j]));
    ifma_replay_put(s, dst[1], words);
}

static void ifma_replay_load(zkr_v52 *out, const zkr_fe *base, const size_t at[ZKR_LANES], uint32_t column) {
    zkr_fe rows[ZKR_LANES];
    __m512i words[4];
    for (size_t l = 0; l < ZKR_LANES; l++) rows[l] = base[at[l] + column];
    zkr_v52_load_words(words, rows[0].l);
    zkr_v52_split(out, words, 4);
}

static void ifma_replay_invert(zkr_fe *out, const zkr_fe *a) {
    zkr_inverse_vartime(out->l, a->l, fr_modulus.l, 0 - FR_INV);
}

static __attribute__((noinline)) const uint32_t *ifma_replay_bits(const ifma_replay *s, const uint32_t *w) {
    zkr_v52 x;
    const uint32_t n = w[1];
    zkr_v52_to_integer(&x, &s->slots[w[0]], &zkr_f52_fr);
    w += 2;
    for (uint32_t i = 0; i < n; i++) {
        const __m512i limb = x.l[i / 52];
        ifma_replay_store_bool(s, w, _mm512_test_epi64_mask(limb, zkr_v52_set1((uint64_t)1 << (i % 52))));
        w += 2;
    }
    return w;
}

static __attribute__((noinline)) void ifma_replay_divmod(const ifma_replay *s, const uint32_t *w) {
    zkr_v52 x;
    __m512i words[4];
    zkr_fe a[ZKR_LANES], b[ZKR_LANES];
    zkr_v52_to_integer(&x, &s->slots[w[4]], &zkr_f52_fr);
    zkr_v52_join(words, &x);
    zkr_v52_store_words(a[0].l, words);
    zkr_v52_to_integer(&x, &s->slots[w[5]], &zkr_f52_fr);
    zkr_v52_join(words, &x);
    zkr_v52_store_words(b[0].l, words);
    for (size_t l = 0; l < ZKR_LANES; l++) {
        zkr_u256_divmod(&a[l], &b[l], &a[l], &b[l]);
        fr_to_mont(&a[l], &a[l]);
        fr_to_mont(&b[l], &b[l]);
    }
    zkr_v52_load_words(words, a[0].l);
    zkr_v52_split(&x, words, 4);
    ifma_replay_store(s, w, &x);
    zkr_v52_load_words(words, b[0].l);
    zkr_v52_split(&x, words, 4);
    ifma_replay_store(s, w + 2, &x);
}

ZKR_V52_INLINE const uint32_t *ifma_replay_linear(const ifma_replay *s, const uint32_t *w, const bool reduce) {
    const uint32_t num_plus = w[4], num_minus = w[5], num_terms = w[6];
    const uint32_t *plus = w + 7, *minus = plus + num_plus, *terms = minus + num_minus;
    zkr_v52 sum;
    /* limbs below 2^52 each, fewer than 2^7 of them, and 2^59 from the multiple of p: 64 signed bits hold it */
    for (int j = 0; j < 5; j++) sum.l[j] = zkr_v52_set1(s->p->limbs[w[2]][j] + w[3] * zkr_f52_fr.p[j]);
    for (uint32_t i = 0; i < num_plus; i++)
        for (int j = 0; j < 5; j++) sum.l[j] = _mm512_add_epi64(sum.l[j], s->slots[plus[i]].l[j]);
    for (uint32_t i = 0; i < num_minus; i++)
        for (int j = 0; j < 5; j++) sum.l[j] = _mm512_sub_epi64(sum.l[j], s->slots[minus[i]].l[j]);
    if (num_terms == 0) {
        zkr_v52_tidy(&sum);
    } else {
        zkr_v52_wide products;
        zkr_v52_wide_zero(&products);
        for (uint32_t i = 0; i < num_terms; i++)
            zkr_v52_wide_mac1(&products, &s->slots[terms[2 * i]], s->p->limbs[terms[2 * i + 1]]);
        zkr_v52_wide_reduce(&sum, &products, &sum, &zkr_f52_fr);
    }
    if (reduce) zkr_v52_reduce(&sum, &sum, &zkr_f52_fr);
    ifma_replay_store(s, w, &sum);
    return terms + 2 * num_terms;
}

static void ifma_replay_kernel(const zkr_program *p, const zkr_replay_block *block) {
    ifma_replay state = {.p = p, .block = block, .slots = block->slots};
    const ifma_replay *s = &state;
    zkr_v52 *const slots = state.slots;
    const zkr_f52 *f = &zkr_f52_fr;
    for (size_t l = 0; l < ZKR_LANES; l++) {
        const size_t lane = l < block->lanes ? l : block->lanes - 1;
        state.link_at[l] = lane * p->num_links;
        state.input_at[l] = lane * p->num_inputs;
    }
    const uint32_t *w = p->code;
    zkr_v52 x, y;
    for (;;) {
        const uint32_t op = *w & 0xff;
        const bool reduce = (*w++ & ZKR_REPLAY_REDUCE) != 0;
        switch (op) {
        case ZKR_REPLAY_LINK:
            ifma_replay_load(&slots[w[0]], block->links, state.link_at, w[1]);
            w += 2;
            break;
        case ZKR_REPLAY_INPUT:
            ifma_replay_load(&slots[w[0]], block->inputs, state.input_at, w[1]);
            w += 2;
            break;
        case ZKR_REPLAY_MUL:
            zkr_v52_mul(&x, &slots[w[2]], &slots[w[3]], f);
            ifma_replay_store(s, w, &x);
            w += 4;
            break;
        case ZKR_REPLAY_ADD:
            zkr_v52_add(&x, &slots[w[2]], &slots[w[3]]);
            if (reduce) zkr_v52_reduce(&x, &x, f);
            ifma_replay_store(s, w, &x);
            w += 4;
            break;
        case ZKR_REPLAY_SUB:
            zkr_v52_sub(&x, &slots[w[2]], &slots[w[3]], w[4], f);
            if (reduce) zkr_v52_reduce(&x, &x, f);
            ifma_replay_store(s, w, &x);
            w += 5;
            break;
        case ZKR_REPLAY_COPY:
            x = slots[w[2]];
            ifma_replay_store(s, w, &x);
            w += 3;
            break;
        case ZKR_REPLAY_LINEAR: w = ifma_replay_linear(s, w, reduce); break;
        case ZKR_REPLAY_BITS: w = ifma_replay_bits(s, w); break;
        case ZKR_REPLAY_INVERSE:
            zkr_v52_inverse(&x, &slots[w[2]], f, ifma_replay_invert);
            ifma_replay_store(s, w, &x);
            w += 3;
            break;
        case ZKR_REPLAY_DIVIDE:
            zkr_v52_inverse(&y, &slots[w[3]], f, ifma_replay_invert);
            zkr_v52_mul(&x, &slots[w[2]], &y, f);
            ifma_replay_store(s, w, &x);
            w += 4;
            break;
        case ZKR_REPLAY_IS_ZERO:
            ifma_replay_store_bool(s, w, zkr_v52_is_zero(&slots[w[2]], f));
            w += 3;
            break;
        case ZKR_REPLAY_DIVMOD:
            ifma_replay_divmod(s, w);
            w += 6;
            break;
        case ZKR_REPLAY_LESS:
            zkr_v52_to_integer(&x, &slots[w[2]], f);
            zkr_v52_to_integer(&y, &slots[w[3]], f);
            for (int j = 0; j < 5; j++) x.l[j] = _mm512_sub_epi64(x.l[j], y.l[j]);
            zkr_v52_tidy(&x); /* the top limb carries the sign */
            ifma_replay_store_bool(s, w, _mm512_movepi64_mask(x.l[4]));
            w += 4;
            break;
        default: return; /* ZKR_REPLAY_END */
        }
    }
}
