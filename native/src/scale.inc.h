/* scale.inc.h: kernels that multiply many points by scalars, included once per 64-bit instruction set. */

#define G(name) ZKR_PASTE(g1_, name)
#define B(name) ZKR_PASTE(fq_, name)
#define FE zkr_fe
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#include "scale_group.inc.h"
#undef G
#undef B
#undef FE
#undef POINT
#undef XYZZ

#define G(name) ZKR_PASTE(g2_, name)
#define B(name) ZKR_PASTE(fq2_, name)
#define FE zkr_fe2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#include "scale_group.inc.h"
#undef G
#undef B
#undef FE
#undef POINT
#undef XYZZ

static void fill_scale(zkr_kernels *k) {
    k->g1.scale = g1_scale_kernel;
    k->g2.scale = g2_scale_kernel;
}
