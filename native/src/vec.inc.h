/* vec.inc.h: vectors over Fr and Fq, included once per instruction set. */

#define F(name) ZKR_PASTE(fr_, name)
#include "vec_field.inc.h"
#undef F

#define F(name) ZKR_PASTE(fq_, name)
#include "vec_field.inc.h"
#undef F

/* Four interleaved chains, so that a product does not wait for the one before it. */
static void fr_powers_kernel(zkr_fe *out, const zkr_fe *start, const zkr_fe *ratio, size_t n) {
    zkr_fe step = *ratio;
    for (size_t i = 0; i < n && i < 4; i++) {
        if (i == 0)
            out[0] = *start;
        else
            fr_mul(&out[i], &out[i - 1], ratio);
    }
    fr_sqr(&step, &step);
    fr_sqr(&step, &step);
    for (size_t i = 4; i < n; i++) fr_mul(&out[i], &out[i - 4], &step);
}

static void fr_mul_repeat_kernel(zkr_fe *x, const zkr_fe *y, size_t rounds) {
    const zkr_fe factor = *y;
    for (size_t k = 0; k < rounds; k++)
        for (size_t i = 0; i < ZKR_REPEAT; i++) fr_mul(&x[i], &x[i], &factor);
}

static void fill_vec(zkr_kernels *k) {
    k->fr = (zkr_field_kernels){
        .find_noncanonical = fr_find_noncanonical_kernel,
        .to_mont = fr_to_mont_kernel,
        .from_mont = fr_from_mont_kernel,
        .add = fr_add_kernel,
        .sub = fr_sub_kernel,
        .mul = fr_mul_kernel,
        .scale = fr_scale_kernel,
        .inverse = fr_inverse_kernel,
    };
    k->fq = (zkr_field_kernels){
        .find_noncanonical = fq_find_noncanonical_kernel,
        .to_mont = fq_to_mont_kernel,
        .from_mont = fq_from_mont_kernel,
        .add = fq_add_kernel,
        .sub = fq_sub_kernel,
        .mul = fq_mul_kernel,
        .scale = fq_scale_kernel,
        .inverse = fq_inverse_kernel,
    };
    k->fr_mul_repeat = fr_mul_repeat_kernel;
    k->fr_powers = fr_powers_kernel;
}
