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

/* x stays below 2 p: y is loaded times 2^4, below 16 p, and 2 * 16 / 84 + 1 < 2. */
static void ifma_mul_repeat_kernel(zkr_fe *x, const zkr_fe *y, size_t rounds) {
    zkr_fe factors[8];
    zkr_v52 v[ZKR_REPEAT / 8], factor;
    __m512i w[4];
    for (size_t i = 0; i < 8; i++) factors[i] = *y;
    zkr_v52_load_words(w, factors[0].l);
    zkr_v52_split(&factor, w, 4);
    for (size_t g = 0; g < ZKR_REPEAT / 8; g++) {
        zkr_v52_load_words(w, x[8 * g].l);
        zkr_v52_split(&v[g], w, 0);
    }
    for (size_t k = 0; k < rounds; k++)
        for (size_t g = 0; g < ZKR_REPEAT / 8; g++) zkr_v52_mul(&v[g], &v[g], &factor, &zkr_f52_fr);
    for (size_t g = 0; g < ZKR_REPEAT / 8; g++) {
        zkr_v52_reduce_once(&v[g], &v[g], &zkr_f52_fr);
        zkr_v52_join(w, &v[g]);
        zkr_v52_store_words(x[8 * g].l, w);
    }
}

void zkr_kernels_fill_ifma(zkr_kernels *k) {
    k->name = "ifma";
    k->fr.mul = fr_ifma_mul_kernel;
    k->fr.scale = fr_ifma_scale_kernel;
    k->fr.to_mont = fr_ifma_to_mont_kernel;
    k->fr.from_mont = fr_ifma_from_mont_kernel;
    k->fr_mul_repeat = ifma_mul_repeat_kernel;
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
    zkr_kernels_fill_ifma_scale(k);
}
