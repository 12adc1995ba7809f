/* sparse.inc.h: rows of a sparse matrix times a vector over Fr, and the Lagrange polynomials' values;
 * one body for each 64-bit instruction set. Must not know where the matrix or the vector comes from.
 */
#include "sparse.h"

/* A sum of products, kept as eight limbs whose upper half is below r: sum < r * 2^256. A value v
 * counts as v * 2^256, so that one Montgomery reduction at the end serves values and products. */
typedef struct {
    uint64_t low[4];
    zkr_fe high;
} sparse_sum;

/* sum += a * b for a, b < r: r^2 < 0.19 r 2^256, so the upper half stays below 2r before its
 * reduction, and 2r fits 256 bits. */
ZKR_INLINE void sparse_add_product(sparse_sum *sum, const zkr_fe *a, const zkr_fe *b) {
    uint64_t p[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            const zkr_u128 t = (zkr_u128)a->l[i] * b->l[j] + p[i + j] + carry;
            p[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        p[i + 4] = carry;
    }
    uint64_t carry = 0;
    zkr_fe high;
    for (int i = 0; i < 4; i++) sum->low[i] = zkr_adc(sum->low[i], p[i], &carry);
    for (int i = 0; i < 4; i++) high.l[i] = zkr_adc(sum->high.l[i], p[i + 4], &carry);
    fr_reduce_once(&sum->high, &high);
}

/* sum / 2^256 mod r. Each of the four steps adds a multiple of r that clears the lowest limb; the
 * result is below (r 2^256 + r 2^256) / 2^256 = 2r. */
ZKR_INLINE void sparse_reduce(zkr_fe *out, const sparse_sum *sum) {
    uint64_t t[8];
    for (int i = 0; i < 4; i++) {
        t[i] = sum->low[i];
        t[i + 4] = sum->high.l[i];
    }
    for (int i = 0; i < 4; i++) {
        const uint64_t m = t[i] * FR_INV;
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            const zkr_u128 s = (zkr_u128)m * fr_modulus.l[j] + t[i + j] + carry;
            t[i + j] = (uint64_t)s;
            carry = (uint64_t)(s >> 64);
        }
        uint64_t overflow = 0;
        t[i + 4] = zkr_adc(t[i + 4], carry, &overflow);
        for (int j = i + 5; j < 8; j++) t[j] = zkr_adc(t[j], 0, &overflow);
    }
    const zkr_fe r = {{t[4], t[5], t[6], t[7]}};
    fr_reduce_once(out, &r);
}

static void sparse_rows(zkr_fe *out, const zkr_sparse *m, const zkr_gather *from, size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
        sparse_sum sum = {{0, 0, 0, 0}, {{0, 0, 0, 0}}};
        bool products = false;
        for (uint32_t k = m->indptr[row]; k < m->indptr[row + 1]; k++) {
            const uint32_t col = m->cols[k], coef = m->coefs[k];
            const zkr_fe *w =
                col < from->num_links ? &from->global[from->links[col]] : &from->own[col - from->num_links];
            switch (coef) {
            case ZKR_COEF_ZERO: break;
            case ZKR_COEF_ONE: fr_add(&sum.high, &sum.high, w); break;
            case ZKR_COEF_MINUS_ONE: fr_sub(&sum.high, &sum.high, w); break;
            default:
                sparse_add_product(&sum, w, &m->constants[coef]);
                products = true;
            }
        }
        if (products) sparse_reduce(&out[row - begin], &sum);
        else out[row - begin] = sum.high;
    }
}

/* out[i] = scale x_i / (tau - x_i) with x_i = start ratio^i: the values at tau of the Lagrange
 * polynomials over the x_i, once scale is right. One inversion a call: the products of all
 * denominators before i are kept in scratch (n elements). */
static void fr_lagrange(zkr_fe *out, const zkr_fe *tau, const zkr_fe *start, const zkr_fe *ratio,
                        const zkr_fe *scale, zkr_fe *scratch, size_t n) {
    zkr_fe x = *start, product = fr_one, inverse, back, t;
    for (size_t i = 0; i < n; i++) {
        out[i] = x;
        scratch[i] = product;
        fr_sub(&t, tau, &x);
        fr_mul(&product, &product, &t);
        fr_mul(&x, &x, ratio);
    }
    fr_inv(&inverse, &product);
    fr_mul(&inverse, &inverse, scale);
    for (size_t i = n; i-- > 0;) {
        fr_sub(&t, tau, &out[i]);
        fr_mul(&back, &inverse, &scratch[i]);
        fr_mul(&inverse, &inverse, &t);
        fr_mul(&out[i], &out[i], &back);
    }
}

static void fill_sparse(zkr_kernels *k) {
    k->sparse_rows = sparse_rows;
    k->fr_lagrange = fr_lagrange;
}
