/* fixed_base.c: many multiples of one point of G1 or G2.
 *
 * Tables of all multiples d 2^(cw) base for d <= 2^(c-1); a result is the sum of one entry a window, of
 * those whose digit is not zero. The entries of a chunk of results are summed by the MSM's own kernel, in
 * rounds that halve them: batch-affine, 6 products an addition, and points fetched ahead.
 */
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "msm.h"
#include "pages.h"
#include "random.h"
#include "threads.h"

#define STEP 1024 /* additions of a table that share an inversion */

#define N(name) ZKR_PASTE(name, _g1)
#define G(name) ZKR_PASTE(g1_, name)
#define K g1
#define FE zkr_fe
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#define CHUNK 512
#define WIDEST 16
#include "fixed_base_group.inc.h"
#undef N
#undef G
#undef K
#undef FE
#undef POINT
#undef XYZZ
#undef CHUNK
#undef WIDEST

#define N(name) ZKR_PASTE(name, _g2)
#define G(name) ZKR_PASTE(g2_, name)
#define K g2
#define FE zkr_fe2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#define CHUNK 256
#define WIDEST 15
#include "fixed_base_group.inc.h"
