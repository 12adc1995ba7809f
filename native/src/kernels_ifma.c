/* kernels_ifma.c: kernels of eight lanes in radix 2^52, replacing entries of the adx table. */
#include "kernels.h"

#include <string.h>

#include "ifma52.h"
#include "ifma_inverse.h"
#include "ifma_kernels.h"

/* Vectors that a product loop handles at a time */
#define IFMA_GROUP 4

#define F(name) ZKR_PASTE(fr_, name)
#define FIELD zkr_f52_fr
#include "ifma_vec.inc.h"
#undef F
#undef FIELD

#define F(name) ZKR_PASTE(fq_, name)
#define FIELD zkr_f52_fq
#include "ifma_vec.inc.h"
#undef F
#undef FIELD

#include "ifma_ntt.inc.h"
#include "ifma_poseidon.inc.h"
#include "ifma_replay.inc.h"
#include "ifma_sparse.inc.h"

void zkr_kernels_fill_ifma(zkr_kernels *k) {
    k->name = "ifma";
    k->fr.mul = fr_ifma_mul_kernel;
    k->fr.scale = fr_ifma_scale_kernel;
    k->fr.to_mont = fr_ifma_to_mont_kernel;
    k->fr.from_mont = fr_ifma_from_mont_kernel;
    k->fr.inverse = fr_ifma_inverse_kernel;
    k->fq.mul = fq_ifma_mul_kernel;
    k->fq.scale = fq_ifma_scale_kernel;
    k->fq.to_mont = fq_ifma_to_mont_kernel;
    k->fq.from_mont = fq_ifma_from_mont_kernel;
    k->fq.inverse = fq_ifma_inverse_kernel;
    k->ntt8_down_twist = ntt8_down_twist_kernel;
    k->ntt8_twist_up = ntt8_twist_up_kernel;
    k->ntt8_rows_both = ntt8_rows_both_kernel;
    k->poseidon = ifma_poseidon_kernel;
    k->replay = ifma_replay_kernel;
    k->sparse_load8 = ifma_sparse_load8;
    k->sparse_rows8 = ifma_sparse_rows8;
    zkr_kernels_fill_ifma_curve(k);
}
