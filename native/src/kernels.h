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

#include "field.h"

#define ZKR_ALL_CANONICAL SIZE_MAX

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

typedef struct zkr_kernels {
    const char *name;

    /* ---- vectors ---- */
    zkr_field_kernels fr, fq;
    /* out[i] = start * ratio^i, Fr */
    void (*fr_powers)(zkr_fe *out, const zkr_fe *start, const zkr_fe *ratio, size_t n);

    /* ---- NTT ---- */

    /* ---- curve ---- */

    /* ---- circuits: Poseidon, replay ---- */
    /* out[i] = hash of the i-th run of t - 1 inputs; Montgomery, canonical */
    void (*poseidon)(zkr_fe *out, const zkr_fe *inputs, size_t n, const struct zkr_poseidon *parameters);

    /* ---- R1CS and Groth16 ---- */
} zkr_kernels;

/* Fill a table. The IFMA one expects the adx table already there and replaces entries. */
void zkr_kernels_fill_portable(zkr_kernels *k);
#if defined(__x86_64__)
void zkr_kernels_fill_adx(zkr_kernels *k);
void zkr_kernels_fill_ifma(zkr_kernels *k);
#endif

#endif
