/* kernels_generic.inc.h: all kernel bodies for one 64-bit instruction set, and the filling of its
 * table. The including file names the table (ZKR_FILL, ZKR_ISA_NAME) and chooses the product. Each
 * part's *.inc.h ends with a static function fill_<part>(zkr_kernels *). */
#include "kernels.h"

#include "curve.inc.h"
#include "ntt.inc.h"
#include "poseidon.inc.h"
#include "replay.inc.h"
#include "pairing.inc.h"
#include "scale.inc.h"
#include "sparse.inc.h"
#include "vec.inc.h"

void ZKR_FILL(zkr_kernels *k) {
    k->name = ZKR_ISA_NAME;
    fill_vec(k);
    fill_ntt(k);
    fill_curve(k);
    fill_poseidon(k);
    fill_replay(k);
    fill_scale(k);
    fill_sparse(k);
    fill_pairing(k);
}
