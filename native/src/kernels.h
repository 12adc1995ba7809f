/* kernels.h: the table of kernels, one filled per instruction set.
 *
 * A kernel is a single-threaded loop over many elements; callers (api_*.c, ntt.c, msm.c, ...) slice
 * the work, hand slices to threads and call the table once a slice, never once an element. Kernels
 * allocate nothing and trust their arguments. Bodies shared by the 64-bit paths live in *.inc.h
 * files, included by kernels_portable.c and kernels_adx.c; kernels_ifma*.c overrides entries of the
 * adx table. Every kernel takes and gives the ABI's encodings: radix 2^52 stays inside the IFMA ones.
 */
#ifndef ZKR_KERNELS_H
#define ZKR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "curve.h"
#include "field.h"
#include "pairing.h"
#include "sparse.h"

#define ZKR_ALL_CANONICAL SIZE_MAX

/* Elements that fr_mul_repeat works on, independent of each other */
#define ZKR_REPEAT 32

typedef struct zkr_field_kernels {
    /* index of the first element >= p, or ZKR_ALL_CANONICAL */
    size_t (*find_noncanonical)(const zkr_fe *a, size_t n);
    void (*to_mont)(zkr_fe *out, const zkr_fe *a, size_t n);
    void (*from_mont)(zkr_fe *out, const zkr_fe *a, size_t n);
    void (*add)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n);
    void (*sub)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n);
    void (*mul)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n);
    /* out[i] = a[i] * k */
    void (*scale)(zkr_fe *out, const zkr_fe *a, const zkr_fe *k, size_t n);
    /* out[i] = 1/a[i], 0 for 0; scratch holds n elements; out may be a, scratch neither */
    void (*inverse)(zkr_fe *out, const zkr_fe *a, zkr_fe *scratch, size_t n);
} zkr_field_kernels;

struct zkr_poseidon;
struct zkr_program;
struct zkr_replay_block;
struct zkr_ntt8_pass;

/* The batch-affine kernels need scratch[0 .. n-1] of the point's base field, n as said. Their cost is
 * 6 base-field products an addition and one inversion a call (sum_segments: one a round). */
typedef struct zkr_g1_kernels {
    /* out[i] = a[i] + b[i], complete; scratch of n; out may be a or b */
    void (*add)(zkr_g1 *out, const zkr_g1 *a, const zkr_g1 *b, size_t n, zkr_fe *scratch);
    /* out[i] = bases[e & 0x7fffffff], negated when bit 31 of e = entries[i] is set */
    void (*gather)(zkr_g1 *out, const zkr_g1 *bases, const uint32_t *entries, size_t n);
    /* Consecutive segments of `points`, lengths[s] >= 1 each, are replaced by their sums, left in
     * points[0 .. segments-1]; lengths end as ones; scratch of half the number of points. */
    void (*sum_segments)(zkr_g1 *points, uint32_t *lengths, size_t segments, zkr_fe *scratch);
    /* The same over points given as entries of `bases`, in the manner of gather: the sums of consecutive
     * segments of entries end in points[0 .. segments-1]. points and scratch as long as entries, places
     * as lengths. */
    void (*sum_entries)(zkr_g1 *points, const zkr_g1 *bases, const uint32_t *entries, uint32_t *lengths,
                        size_t segments, uint32_t *places, zkr_fe *scratch);
    /* out[i] = 1 when the point is on the curve; coordinates canonical */
    void (*is_on_curve)(uint8_t *out, const zkr_g1 *points, size_t n);
    /* *out = sum_i (i + 1) points[i] and *total = sum_i points[i] */
    void (*weighted_sum)(zkr_g1_xyzz *out, zkr_g1_xyzz *total, const zkr_g1 *points, size_t n);
    /* *out = sum_i scalars[i] bases[i] for canonical scalars; for few points */
    void (*msm_few)(zkr_g1_xyzz *out, const zkr_g1 *bases, const zkr_fe *scalars, size_t n);
    /* out[i] = scalars[step * i] points[i], step 0 or 1, canonical scalars, points of prime order; in place
     * allowed. With `secret`, eight lanes take time and read memory as no scalar says; 64-bit paths do not
     * keep to that. What is left on the stack tells the scalars. */
    void (*scale)(zkr_g1 *out, const zkr_g1 *points, const zkr_fe *scalars, size_t step, size_t n, bool secret);
} zkr_g1_kernels;

typedef struct zkr_g2_kernels {
    void (*add)(zkr_g2 *out, const zkr_g2 *a, const zkr_g2 *b, size_t n, zkr_fe2 *scratch);
    void (*gather)(zkr_g2 *out, const zkr_g2 *bases, const uint32_t *entries, size_t n);
    void (*sum_segments)(zkr_g2 *points, uint32_t *lengths, size_t segments, zkr_fe2 *scratch);
    void (*sum_entries)(zkr_g2 *points, const zkr_g2 *bases, const uint32_t *entries, uint32_t *lengths,
                        size_t segments, uint32_t *places, zkr_fe2 *scratch);
    void (*is_on_curve)(uint8_t *out, const zkr_g2 *points, size_t n);
    void (*weighted_sum)(zkr_g2_xyzz *out, zkr_g2_xyzz *total, const zkr_g2 *points, size_t n);
    void (*msm_few)(zkr_g2_xyzz *out, const zkr_g2 *bases, const zkr_fe *scalars, size_t n);
    void (*scale)(zkr_g2 *out, const zkr_g2 *points, const zkr_fe *scalars, size_t step, size_t n, bool secret);
} zkr_g2_kernels;

typedef struct zkr_kernels {
    const char *name;

    /* ---- vectors ---- */
    zkr_field_kernels fr, fq;
    /* x[i] *= y, so many rounds, for i < ZKR_REPEAT, Fr: nothing but products, close at hand */
    void (*fr_mul_repeat)(zkr_fe *x, const zkr_fe *y, size_t rounds);
    /* out[i] = start * ratio^i, Fr */
    void (*fr_powers)(zkr_fe *out, const zkr_fe *start, const zkr_fe *ratio, size_t n);

    /* ---- NTT ---- */
    /* In place on `width` interleaved vectors, rows x[j * width ..], of 2^log_n rows each, which
     * arrive in bit-reversed order and leave in natural order: decimation in time. The stage that
     * joins halves of m rows reads twiddles[m .. 2m-1]; plain says that twiddles[m] = 1. */
    void (*ntt_block)(zkr_fe *x, unsigned log_n, size_t width, const zkr_fe *twiddles, bool plain);
    /* x[j * width + c] *= factors[c] * ratios[c]^j, for `rows` rows; factors are used up; width <= 16 */
    void (*ntt_twist)(zkr_fe *x, size_t rows, size_t width, zkr_fe *factors, const zkr_fe *ratios);
    /* Whole passes on eight lanes, groups begin .. end-1; see ifma_ntt.h. All NULL on paths without. */
    void (*ntt8_down_twist)(const struct zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer);
    void (*ntt8_twist_up)(const struct zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer);
    void (*ntt8_rows_both)(const struct zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer);

    /* ---- curve ---- */
    zkr_g1_kernels g1;
    zkr_g2_kernels g2;

    /* ---- circuits: Poseidon, replay ---- */
    /* out[i] = hash of the i-th run of t - 1 inputs; Montgomery, canonical */
    void (*poseidon)(zkr_fe *out, const zkr_fe *inputs, size_t n, const struct zkr_poseidon *parameters);
    /* one block of instances of a compiled tape; see replay.h */
    void (*replay)(const struct zkr_program *program, const struct zkr_replay_block *block);

    /* ---- R1CS and Groth16 ---- */
    /* out[row - begin] = row . gathered values, begin <= row < end, Fr */
    void (*sparse_rows)(zkr_fe *out, const zkr_sparse *m, const zkr_gather *from, size_t begin, size_t end);
    /* The same for eight instances of a template; NULL where a path has no such lanes. load8: columns
     * begin .. end-1, of ZKR_COLUMN8 words each (64-byte aligned), from base[c + lane * stride]. rows8:
     * out[row - begin + lane * stride]; coefs[k] are limbs of 52 bits of constants[k] * 2^4 mod r. */
    void (*sparse_load8)(uint64_t *columns, const zkr_fe *base, size_t stride, size_t begin, size_t end);
    void (*sparse_rows8)(zkr_fe *out, size_t stride, const zkr_sparse *m, const uint64_t (*coefs)[5],
                         const uint64_t *columns, size_t begin, size_t end);
    /* out[i] = scale x_i / (tau - x_i), x_i = start ratio^i != tau, Fr; scratch holds n elements */
    void (*fr_lagrange)(zkr_fe *out, const zkr_fe *tau, const zkr_fe *start, const zkr_fe *ratio,
                        const zkr_fe *scale, zkr_fe *scratch, size_t n);
    /* out[i] = 1 when the point is on the twist and in the subgroup (infinity is); coordinates canonical */
    void (*g2_in_subgroup)(uint8_t *out, const zkr_g2 *points, size_t n);
    /* the first pair with a point outside its group (infinity is inside), or n */
    size_t (*pairing_check)(const zkr_g1 *p, const zkr_g2 *q, size_t n);
    void (*pairing_product)(zkr_fe12 *out, const zkr_g1 *p, const zkr_g2 *q, size_t n);
    size_t (*pairing_prepare)(zkr_prepared_key *key, zkr_g1 *multiples, const zkr_g1 *alpha, const zkr_g2 *beta,
                              const zkr_g2 *gamma, const zkr_g2 *delta, const zkr_g1 *ic, size_t num_public);
    void (*pairing_verify)(uint8_t *holds, const zkr_prepared_key *key, const zkr_fe *proofs,
                           const zkr_fe *publics, size_t n);
} zkr_kernels;

/* Fill a table. The IFMA one expects the adx table already there and replaces entries. */
void zkr_kernels_fill_portable(zkr_kernels *k);
void zkr_kernels_fill_adx(zkr_kernels *k);
void zkr_kernels_fill_ifma(zkr_kernels *k);

#endif
