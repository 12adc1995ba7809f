/* ifma_ntt.h: transforms over Fr eight vectors at a time: what the driver (ifma_ntt.c, for any
 * machine) and the kernels (ifma_ntt.inc.h, for AVX-512 IFMA) share. Must not know Groth16's keys.
 *
 * A factor w that is known beforehand is kept as the plain integer w < r beside floor(w 2^260 / r)
 * (Shoup). A product then keeps whatever Montgomery form its other factor is in, so vectors go through
 * a transform in the ABI's form with no conversion. */
#ifndef ZKR_IFMA_NTT_H
#define ZKR_IFMA_NTT_H

#include "engine.h"
#include "ifma_ntt_constants.h"

#define ZKR_NTT8_MAX_BLOCK 14 /* 2^28 = 2^14 2^14 */
#define ZKR_NTT8_LEAST 6      /* log of the smallest vector: eight columns and eight rows */
#define ZKR_NTT8_ELEMENT 320  /* bytes of eight elements in a buffer */

typedef struct {
    uint64_t w[5], q[5]; /* limbs of 52 bits */
} zkr_ntt8_factor;

/* Of a transform of 2^log_n vectors in radix 4, the first step in radix 2 when log_n is odd. A node is
 * a radix-4 butterfly's three factors z, z^2, z^3; the step whose nodes number count = 2^s (s even or
 * odd as log_n is) begins at node (count - 1) / 3. */
typedef struct {
    unsigned log_n;
    bool plain;              /* the first node of every step is 1, 1, 1 */
    zkr_ntt8_factor quarter; /* the root of order 4 */
    zkr_ntt8_factor nodes[][3];
} zkr_ntt8_table;

/* R C elements as R rows of C. A pass over groups of eight columns or eight rows; `buffer` holds
 * max(R, C) times ZKR_NTT8_ELEMENT bytes, aligned to 64. Between passes elements are below 2^256, not
 * reduced; the last pass reduces. in and out may be the same unless transposed. */
typedef struct zkr_ntt8_pass {
    unsigned log_r, log_c;
    const zkr_fe *in, *times; /* the elements are in[] times[], or in[] when times is NULL */
    zkr_fe *out;
    bool transposed;          /* entry (r, c) goes to out[c R + r] */
    const zkr_ntt8_table *first, *second;
    const zkr_fe *starts, *ratios; /* row k of column c is multiplied by starts[c] ratios[c]^k; */
    zkr_fe start;                  /* starts may be NULL: then `start` for all; ratios may: then not */
    const zkr_ntt8_factor *shift;  /* a factor for each row, last; or NULL */
    enum { ZKR_NTT8_STORE, ZKR_NTT8_MULTIPLY, ZKR_NTT8_SUBTRACT } finish; /* out = x, out x, out - x */
} zkr_ntt8_pass;

/* The whole transform, natural order in and out; log_n >= ZKR_NTT8_LEAST, arguments as
 * zkr_ntt_forward's, except that `middle` holds n elements, may be out, and may not be a. Only for
 * engines whose kernels have ntt8_down_twist. */
int zkr_ntt8_transform(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool inverse,
                       bool coset, zkr_fe *middle);

/* a <- the values of A B - C at the odd powers of g, where the vectors a and b hold the values of A
 * and B at the powers of w, and C those of the products. b and c are overwritten. */
int zkr_ntt8_quotient(const zkr_engine *engine, zkr_fe *a, zkr_fe *b, zkr_fe *c, unsigned log_n);

#endif
