/* poseidon.h: one parameter set of Poseidon (eprint 2019/458) in the form that the kernels run.
 *
 * Knows no particular constants. The optimised form of the permutation (appendix B of the paper):
 *
 *   full_rounds/2 rounds   add a row of constants, S-box on all lanes, dense matrix
 *                          (the last of them uses `entry` instead of `mds`)
 *   partial rounds         add one constant to lane 0, S-box on lane 0, sparse matrix
 *                          s0' = corner x + sum v_j s_j, s_j' = s_j + w_j x
 *   full_rounds/2 rounds   as the first ones
 *
 * All constants lie in one array, in the order that the functions below give.
 */
#ifndef ZKR_POSEIDON_H
#define ZKR_POSEIDON_H

#include "field.h"
#include "zkr.h"

#define ZKR_POSEIDON_MIN_T 2u
#define ZKR_POSEIDON_MAX_T 17u
#define ZKR_POSEIDON_MAX_ROUNDS 1024u

struct zkr_poseidon {
    uint32_t t, full, partial; /* width; numbers of rounds, full ones half before and half after */
    zkr_fe *constants;         /* Montgomery */
    uint64_t (*limbs)[5];      /* the same times 2^4 mod p, that is x * 2^260, in limbs of 52 bits */
};

ZKR_INLINE size_t zkr_poseidon_row(const zkr_poseidon *p, size_t full_round) { return full_round * p->t; }
ZKR_INLINE size_t zkr_poseidon_mds(const zkr_poseidon *p) { return (size_t)p->full * p->t; }
ZKR_INLINE size_t zkr_poseidon_entry(const zkr_poseidon *p) { return zkr_poseidon_mds(p) + (size_t)p->t * p->t; }
/* one round: the constant, the corner, v_1 .. v_(t-1), w_1 .. w_(t-1) */
ZKR_INLINE size_t zkr_poseidon_partial(const zkr_poseidon *p, size_t round) {
    return zkr_poseidon_entry(p) + (size_t)p->t * p->t + round * 2 * p->t;
}
ZKR_INLINE size_t zkr_poseidon_num_constants(const zkr_poseidon *p) { return zkr_poseidon_partial(p, p->partial); }

#endif
