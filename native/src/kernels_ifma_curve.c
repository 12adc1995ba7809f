/* kernels_ifma_curve.c: sums of many points of G1 and G2 on eight lanes, replacing entries of the adx
 * table. */
#define ZKR_FIELD_ADX
#include "kernels.h"

#include <string.h>

#include "ifma_curve.h"
#include "ifma_kernels.h"

enum { IFMA_ADD, IFMA_ENTRIES, IFMA_NEIGHBOURS };

/* Pairs that share an inversion, whose points, read twice, stay in the second-level cache */
#define IFMA_PAIRS 2048
/* Vectors that points are fetched ahead */
#define IFMA_AHEAD 12

#define G(name) ZKR_PASTE(g1_, name)
#define B(name) ZKR_PASTE(fq_, name)
#define L(name) ZKR_PASTE(lanes1_, name)
#define SETTLE zkr_fq_settle
#define FE zkr_fe
#define V zkr_v52
#define POINT zkr_g1
#define CHAINS 4
#include "ifma_curve_group.inc.h"
#undef G
#undef B
#undef L
#undef SETTLE
#undef FE
#undef V
#undef POINT
#undef CHAINS

#define G(name) ZKR_PASTE(g2_, name)
#define B(name) ZKR_PASTE(fq2_, name)
#define L(name) ZKR_PASTE(lanes2_, name)
#define SETTLE zkr_fq2_settle
#define FE zkr_fe2
#define V zkr_v52x2
#define POINT zkr_g2
#define CHAINS 2
#include "ifma_curve_group.inc.h"

void zkr_kernels_fill_ifma_curve(zkr_kernels *k) {
    zkr_fq_multiples_fill();
    k->g1.add = g1_ifma_add_kernel;
    k->g1.sum_entries = g1_ifma_sum_entries_kernel;
    k->g2.add = g2_ifma_add_kernel;
    k->g2.sum_entries = g2_ifma_sum_entries_kernel;
}
