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

/* The untwist-Frobenius-twist endomorphism of the twist: (x, y) -> (conj(x) xi^((q-1)/3),
 * conj(y) xi^((q-1)/2)), xi = 9 + i. */
ZKR_NOINLINE void g2_psi(zkr_g2 *out, const zkr_g2 *p) {
    static const zkr_fe2 gx = {ZKR_LIMBS(FQ_PSIX0), ZKR_LIMBS(FQ_PSIX1)};
    static const zkr_fe2 gy = {ZKR_LIMBS(FQ_PSIY0), ZKR_LIMBS(FQ_PSIY1)};
    zkr_fe2 t;
    fq2_conj(&t, &p->x);
    fq2_mul(&out->x, &t, &gx);
    fq2_conj(&t, &p->y);
    fq2_mul(&out->y, &t, &gy);
}

/* p must be on the twist. True when it has order r (or is infinity). The test is
 * psi(P) = [t - 1] P, t the trace of Frobenius. psi satisfies psi^2 - t psi + q = 0, so the equality
 * gives 0 = [(t-1)^2 - t(t-1) + q] P = [q + 1 - t] P = [r] P; and psi acts as q = t - 1 (mod r) on
 * the subgroup, so its points pass. t - 1 = 6 u^2 has 127 bits, half of r's. */
ZKR_NOINLINE bool g2_is_in_subgroup(const zkr_g2 *p) {
    static const zkr_fe trace = ZKR_LIMBS(FQ_TRACE_M1);
    zkr_g2_xyzz m, acc;
    zkr_g2 f;
    g2_scalar_mul(&m, p, &trace);
    g2_psi(&f, p);
    g2_neg(&f, &f);
    acc = m;
    g2_add_affine(&acc, &f);
    return fq2_is_zero(&acc.zz);
}

/* The cofactor of G1 is one. */
ZKR_INLINE bool g1_is_in_subgroup(const zkr_g1 *p) { return g1_is_on_curve(p); }

#endif
