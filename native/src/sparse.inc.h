/* sparse.inc.h: rows of a sparse matrix times a vector over Fr, and the Lagrange polynomials' values;
 * one body for each 64-bit instruction set. Must not know where the matrix or the vector comes from.
 */
#include "fr_sum.h"
#include "sparse.h"

static void sparse_rows(zkr_fe *out, const zkr_sparse *m, const zkr_gather *from, size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
        fr_sum sum = {{0, 0, 0, 0}, {{0, 0, 0, 0}}};
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
                fr_sum_add_product(&sum, w, &m->constants[coef]);
                products = true;
            }
        }
        if (products) fr_sum_reduce(&out[row - begin], &sum);
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
