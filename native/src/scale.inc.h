/* scale.inc.h: kernels that multiply many points by scalars, included once per 64-bit instruction set. */

#define GROUP_BODY "scale_group.inc.h"
#include "groups.inc.h"

static void fill_scale(zkr_kernels *k) {
    k->g1.scale = g1_scale_kernel;
    k->g2.scale = g2_scale_kernel;
}
