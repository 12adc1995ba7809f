/* kernels_adx.c: the same kernels over the MULX/ADCX/ADOX product; compiled with -mbmi2 -madx. */
#define ZKR_FILL zkr_kernels_fill_adx
#define ZKR_ISA_NAME "adx"
#define ZKR_FIELD_ADX 1

#include "kernels_generic.inc.h"
