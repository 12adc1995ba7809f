/* r1cs.h: a checked layout times a vector. Must not know Groth16. */
#ifndef ZKR_R1CS_H
#define ZKR_R1CS_H

#include "engine.h"
#include "sparse.h"

/* ZKR_OK when every size and index of the layout, and `num_witness`, is what it must be. */
int zkr_r1cs_check(const zkr_layout *layout, size_t num_witness);

/* The elements of layout->blocks[].constants and of the witness are below r: ZKR_OK, else
 * ZKR_NOTCANONICAL with *bad (may be NULL) the element of the witness, or SIZE_MAX for a constant. */
int zkr_r1cs_check_values(const zkr_engine *engine, const zkr_layout *layout, const zkr_fe *witness, size_t *bad);

/* out[m] = matrix m (A, B, C) times the witness, num_rows elements, where out[m] is not NULL; rows of
 * no block become zero. Everything was checked. */
void zkr_r1cs_multiply(const zkr_engine *engine, zkr_fe *const out[3], const zkr_layout *layout,
                       const zkr_fe *witness);

/* Matrix 0, 1, 2 of a block. */
static inline const zkr_matrix *zkr_block_matrix(const zkr_block *block, int m) {
    return m == 0 ? &block->a : m == 1 ? &block->b : &block->c;
}

#endif
