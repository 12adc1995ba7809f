/* groups.inc.h: includes the file that GROUP_BODY names for G1 and once more for G2.
 *
 * The body writes G(name) and N(name) for a name with the group before or behind it, K for the group's
 * member of the kernel table, B(name) for its base field's functions, and FE, POINT, XYZZ. What else
 * differs between the groups is a constant under a name that N makes.
 */
#define G(name) ZKR_PASTE(g1_, name)
#define N(name) ZKR_PASTE(name, _g1)
#define K g1
#define B(name) ZKR_PASTE(fq_, name)
#define FE zkr_fe
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#include GROUP_BODY
#undef G
#undef N
#undef K
#undef B
#undef FE
#undef POINT
#undef XYZZ

#define G(name) ZKR_PASTE(g2_, name)
#define N(name) ZKR_PASTE(name, _g2)
#define K g2
#define B(name) ZKR_PASTE(fq2_, name)
#define FE zkr_fe2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#include GROUP_BODY
#undef G
#undef N
#undef K
#undef B
#undef FE
#undef POINT
#undef XYZZ

#undef GROUP_BODY
