/* replay.h: a tape as the kernels run it, compiled from the ABI's words by replay.c.
 *
 * Knows no circuit. Columns and temporaries have become *slots* of a scratch memory that is small
 * because a slot is free again after its value's last use; a slot holds one value of ZKR_LANES
 * instances in the kernel's own form. Links and inputs are loaded just before their first use. Every
 * result also says which own wire it is (or ZKR_NO_WIRE), and goes to the output at once.
 *
 * The code is a run of 32-bit words; bit 8 of an opcode word is ZKR_REPLAY_REDUCE. Constants, slots
 * and wires in it were checked when it was compiled: kernels trust it.
 *
 * Bounds. The kernel in radix 2^52 keeps values lazily reduced, below a number of multiples of the
 * modulus p that is known when the tape is compiled: loads are below 16 p, a product of values below
 * a p and b p is below (a b/84 + 1) p (ifma52.h), sums add up. Every value kept in a slot is below
 * ZKR_REPLAY_BOUND p; where an instruction could exceed that, it carries ZKR_REPLAY_REDUCE, which
 * brings it below 2 p. Nothing, reduced or not, exceeds 2^260 > 84 p. The paths of 64-bit limbs
 * reduce every result and ignore all this.
 */
#ifndef ZKR_REPLAY_H
#define ZKR_REPLAY_H

#include "field.h"
#include "zkr.h"

#define ZKR_LANES 8u
#define ZKR_NO_WIRE UINT32_MAX
#define ZKR_REPLAY_REDUCE 0x100u
#define ZKR_REPLAY_BOUND 16u
/* Products summed before one reduction, and multiples of p in a sum of values beside them: with
 * 64 * 16/84 + 1 < 15 and 40, far below 84. */
#define ZKR_REPLAY_MAX_TERMS 64u
#define ZKR_REPLAY_MAX_SUM 40u
/* Bytes of a slot: eight lanes of five limbs (eight of four on the other paths) */
#define ZKR_SLOT_BYTES 320u

enum {
    ZKR_REPLAY_END,
    ZKR_REPLAY_LINK,    /* slot column */
    ZKR_REPLAY_INPUT,   /* slot index */
    ZKR_REPLAY_MUL,     /* slot wire a b */
    ZKR_REPLAY_ADD,     /* slot wire a b */
    ZKR_REPLAY_SUB,     /* slot wire a b multiple: a - b + multiple p, where b < multiple p */
    ZKR_REPLAY_COPY,    /* slot wire a */
    ZKR_REPLAY_LINEAR,  /* slot wire k multiple num_plus num_minus num_terms plus* minus* (a coef)*:
                           constant k + sums of plus, - sums of minus + multiple p, + sum coef a */
    ZKR_REPLAY_BITS,    /* a n (slot wire)^n */
    ZKR_REPLAY_INVERSE, /* slot wire a */
    ZKR_REPLAY_DIVIDE,  /* slot wire a b */
    ZKR_REPLAY_IS_ZERO, /* slot wire a */
    ZKR_REPLAY_DIVMOD,  /* slot wire slot wire a b: quotient, remainder */
    ZKR_REPLAY_LESS     /* slot wire a b */
};

struct zkr_program {
    uint32_t num_links, num_inputs, num_own, num_slots;
    uint32_t *code;
    size_t num_constants;
    zkr_fe *constants;     /* Montgomery */
    uint64_t (*limbs)[5];  /* the same as x * 2^260, in limbs of 52 bits */
};

/* One kernel call: `lanes` (1 .. ZKR_LANES) instances side by side. */
typedef struct zkr_replay_block {
    const zkr_fe *links;  /* lane l's at l * num_links */
    const zkr_fe *inputs; /* l * num_inputs */
    zkr_fe *out;          /* l * num_own; the input wires are not written */
    size_t lanes;
    void *slots; /* num_slots * ZKR_SLOT_BYTES, aligned to 64 */
} zkr_replay_block;

/* Quotient and remainder of 256-bit integers; (0, a) for b = 0. One bit of the quotient a step. */
ZKR_INLINE void zkr_u256_divmod(zkr_fe *quotient, zkr_fe *remainder, const zkr_fe *a, const zkr_fe *b) {
    zkr_fe q = {{0, 0, 0, 0}}, r = *a, d = *b;
    int a_bits = 0, b_bits = 0;
    for (int i = 0; i < 4; i++) {
        if (a->l[i] != 0) a_bits = 64 * i + 64 - __builtin_clzll(a->l[i]);
        if (b->l[i] != 0) b_bits = 64 * i + 64 - __builtin_clzll(b->l[i]);
    }
    const int shift = b_bits == 0 ? -1 : a_bits - b_bits;
    for (int s = 0; s < shift; s++) { /* at most to a's length: no bit is lost */
        for (int i = 3; i > 0; i--) d.l[i] = d.l[i] << 1 | d.l[i - 1] >> 63;
        d.l[0] <<= 1;
    }
    for (int s = shift; s >= 0; s--) {
        zkr_fe t;
        uint64_t borrow = 0;
        for (int i = 0; i < 4; i++) t.l[i] = zkr_sbb(r.l[i], d.l[i], &borrow);
        if (!borrow) {
            r = t;
            q.l[s / 64] |= (uint64_t)1 << (s % 64);
        }
        for (int i = 0; i < 3; i++) d.l[i] = d.l[i] >> 1 | d.l[i + 1] << 63;
        d.l[3] >>= 1;
    }
    *quotient = q;
    *remainder = r;
}

#endif
