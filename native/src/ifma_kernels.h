/* ifma_kernels.h: the parts of the IFMA table that have translation units of their own. */
#ifndef ZKR_IFMA_KERNELS_H
#define ZKR_IFMA_KERNELS_H

#include "kernels.h"

void zkr_kernels_fill_ifma_curve(zkr_kernels *k);
void zkr_kernels_fill_ifma_scale(zkr_kernels *k);

#endif
