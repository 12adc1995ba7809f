/* fixed_base.c: many multiples of one point of G1 or G2.
 *
 * Tables of all multiples d 2^(cw) base for d <= 2^(c-1), then chunks of results accumulate one table
 * entry a window, batch-affine across the chunk.
 */
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "msm.h"
#include "random.h"
#include "threads.h"

#define N(name) ZKR_PASTE(name, _g1)
#define G(name) ZKR_PASTE(g1_, name)
#define K g1
#define FE zkr_fe
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#define CHUNK 2048
#include "fixed_base_group.inc.h"
#undef N
#undef G
#undef K
#undef FE
#undef POINT
#undef XYZZ
#undef CHUNK

#define N(name) ZKR_PASTE(name, _g2)
#define G(name) ZKR_PASTE(g2_, name)
#define K g2
#define FE zkr_fe2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#define CHUNK 512
#include "fixed_base_group.inc.h"
