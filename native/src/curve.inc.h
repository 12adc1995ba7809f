/* curve.inc.h: kernels over many points, included once per instruction set. */

#define GROUP_BODY "curve_kernels.inc.h"
#include "groups.inc.h"

static void fill_curve(zkr_kernels *k) {
    k->g1 = (zkr_g1_kernels){
        .add = g1_add_kernel,
        .gather = g1_gather_kernel,
        .sum_segments = g1_sum_segments_kernel,
        .sum_entries = g1_sum_entries_kernel,
        .is_on_curve = g1_is_on_curve_kernel,
        .weighted_sum = g1_weighted_sum_kernel,
        .msm_few = g1_msm_few_kernel,
    };
    k->g2 = (zkr_g2_kernels){
        .add = g2_add_kernel,
        .gather = g2_gather_kernel,
        .sum_segments = g2_sum_segments_kernel,
        .sum_entries = g2_sum_entries_kernel,
        .is_on_curve = g2_is_on_curve_kernel,
        .weighted_sum = g2_weighted_sum_kernel,
        .msm_few = g2_msm_few_kernel,
    };
}
