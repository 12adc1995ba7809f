/* ifma_sparse.inc.h: rows of a template's matrix for eight instances at once, included by
 * kernels_ifma.c. The coefficients are the same in all lanes; the values are w * 2^256 below r, and a
 * coefficient c is held as c * 2^260 mod r, so that a reduction by 2^260 gives the ABI's form. */

static void ifma_sparse_load8(uint64_t *columns, const zkr_fe *base, size_t stride, size_t begin, size_t end) {
    for (size_t c = begin; c < end; c++) {
        zkr_v52 x;
        __m512i w[4];
        zkr_v52_load_words_strided(w, base[c].l, 4 * stride);
        zkr_v52_split(&x, w, 0);
        for (int j = 0; j < 5; j++) _mm512_store_si512((void *)(columns + ZKR_COLUMN8 * c + 8 * (size_t)j), x.l[j]);
    }
}

/* Entries summed before a reduction. In units of r: at most 64 values, 64 / 84 for products, 1 for the
 * reduction and 1 for what was there before are below the 84 of 2^260; and 64 products are far below
 * the 400 that a column takes. */
#define IFMA_SPARSE_RUN 64

ZKR_V52_INLINE void ifma_sparse_column(zkr_v52 *x, const uint64_t *columns, uint32_t c) {
    for (int j = 0; j < 5; j++) x->l[j] = _mm512_load_si512((const void *)(columns + ZKR_COLUMN8 * c + 8 * (size_t)j));
}

static void ifma_sparse_rows8(zkr_fe *out, size_t stride, const zkr_sparse *m, const uint64_t (*coefs)[5],
                              const uint64_t *columns, size_t begin, size_t end) {
    const zkr_f52 *const f = &zkr_f52_fr;
    for (size_t row = begin; row < end; row++) {
        zkr_v52 sum, x;
        for (int j = 0; j < 5; j++) sum.l[j] = _mm512_setzero_si512();
        for (uint32_t k = m->indptr[row]; k < m->indptr[row + 1];) {
            const uint32_t left = m->indptr[row + 1] - k, stop = k + (left < IFMA_SPARSE_RUN ? left : IFMA_SPARSE_RUN);
            zkr_v52_wide products;
            bool any = false;
            zkr_v52_wide_zero(&products);
            for (; k < stop; k++) {
                const uint32_t coef = m->coefs[k];
                if (coef == ZKR_COEF_ZERO) continue;
                ifma_sparse_column(&x, columns, m->cols[k]);
                if (coef == ZKR_COEF_ONE) {
                    for (int j = 0; j < 5; j++) sum.l[j] = _mm512_add_epi64(sum.l[j], x.l[j]);
                } else if (coef == ZKR_COEF_MINUS_ONE) { /* r - x; limbs may be negative until they are tidied */
                    for (int j = 0; j < 5; j++)
                        sum.l[j] = _mm512_add_epi64(sum.l[j], _mm512_sub_epi64(zkr_v52_set1(f->p[j]), x.l[j]));
                } else {
                    zkr_v52_wide_mac1(&products, &x, coefs[coef]);
                    any = true;
                }
            }
            if (any) zkr_v52_wide_reduce(&sum, &products, &sum, f);
            else zkr_v52_tidy(&sum);
            zkr_v52_canonical(&sum, &sum, f);
        }
        __m512i w[4];
        zkr_v52_join(w, &sum);
        zkr_v52_store_words_strided(out[row - begin].l, 4 * stride, w);
    }
}
