/* curve.h: points of G1 and G2 and their arithmetic one at a time, for one translation unit.
 *
 * Include after choosing the product (see field.h). Affine points are Montgomery with (0, 0) for
 * infinity, as in the ABI; accumulators are XYZZ (x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2, infinity is
 * ZZ = 0). Every sum here is complete: equal, opposite and infinite operands are right. Nothing here
 * runs in constant time. For many points at once use the kernels (kernels.h) or msm.h.
 *
 * Formulas: Explicit-Formulas Database, short Weierstrass a = 0, "xyzz": mdbl-2008-s-1,
 * dbl-2008-s-1, madd-2008-s, add-2008-s.
 */
#ifndef ZKR_CURVE_H
#define ZKR_CURVE_H

#include "field.h"

typedef struct {
    zkr_fe x, y;
} zkr_g1;

typedef struct {
    zkr_fe2 x, y;
} zkr_g2;

typedef struct {
    zkr_fe x, y, zz, zzz;
} zkr_g1_xyzz;

typedef struct {
    zkr_fe2 x, y, zz, zzz;
} zkr_g2_xyzz;

/* the constants b of y^2 = x^3 + b, and the generators of EIP-196 and EIP-197 */
static const zkr_fe g1_b = ZKR_LIMBS(FQ_B1);
static const zkr_fe2 g2_b = {ZKR_LIMBS(FQ_B2C0), ZKR_LIMBS(FQ_B2C1)};
static const zkr_g1 g1_generator __attribute__((unused)) = {ZKR_LIMBS(FQ_G1X), ZKR_LIMBS(FQ_G1Y)};
static const zkr_g2 g2_generator __attribute__((unused)) = {{ZKR_LIMBS(FQ_G2X0), ZKR_LIMBS(FQ_G2X1)},
                                                            {ZKR_LIMBS(FQ_G2Y0), ZKR_LIMBS(FQ_G2Y1)}};

#define GROUP_BODY "curve_group.inc.h"
#include "groups.inc.h"

#endif
