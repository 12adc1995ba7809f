/* kernels_portable.c: the kernels in plain C, for any 64-bit machine. */
#define ZKR_FILL zkr_kernels_fill_portable
#define ZKR_ISA_NAME "portable"

#include "kernels_generic.inc.h"
