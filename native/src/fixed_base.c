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

enum { chunk_g1 = 512, widest_g1 = 16, chunk_g2 = 256, widest_g2 = 15 };

#define CHUNK N(chunk)
#define WIDEST N(widest)
#define GROUP_BODY "fixed_base_group.inc.h"
#include "groups.inc.h"
