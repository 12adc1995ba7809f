/* ifma_vec.inc.h: vector products of one field, included by kernels_ifma.c once per field; expects
 * F(name) and FIELD (its zkr_f52).
 *
 * Products: one factor is loaded times 2^4, so that (16 a b)/2^260 = a b/2^256, the ABI's own product,
 * with no conversion afterwards: below 16/85 p + p < 2p, one subtraction. Loads, products and stores
 * of GROUP vectors are phases of their own: the processor overlaps like with like. */

static void F(ifma_mul_tail)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t step, size_t n);

ZKR_V52_INLINE void F(ifma_mul_groups)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, const size_t groups) {
    zkr_v52 x[IFMA_GROUP], y[IFMA_GROUP];
    __m512i w[4];
    for (size_t g = 0; g < groups; g++) {
        zkr_v52_load_words(w, a[8 * g].l);
        zkr_v52_split(&x[g], w, 4);
        zkr_v52_load_words(w, b[8 * g].l);
        zkr_v52_split(&y[g], w, 0);
    }
    for (size_t g = 0; g < groups; g++) zkr_v52_mul(&x[g], &x[g], &y[g], &FIELD);
    for (size_t g = 0; g < groups; g++) {
        zkr_v52_reduce_once(&x[g], &x[g], &FIELD);
        zkr_v52_join(w, &x[g]);
        zkr_v52_store_words(out[8 * g].l, w);
    }
}

/* b moves by step elements for each of a: 1 for a vector, 0 for one factor that b holds
 * 8 IFMA_GROUP times */
ZKR_V52_INLINE void F(ifma_mul_any)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, const size_t step, size_t n) {
    for (; n >= 8 * IFMA_GROUP; n -= 8 * IFMA_GROUP) {
        F(ifma_mul_groups)(out, a, b, IFMA_GROUP);
        out += 8 * IFMA_GROUP, a += 8 * IFMA_GROUP, b += 8 * IFMA_GROUP * step;
    }
    F(ifma_mul_tail)(out, a, b, step, n);
}

/* fewer than 8 IFMA_GROUP elements */
static __attribute__((noinline)) void F(ifma_mul_tail)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t step,
                                                       size_t n) {
    zkr_fe x[8], y[8];
    for (size_t done = 0; done < n; done += 8) {
        const size_t now = n - done < 8 ? n - done : 8;
        memset(x, 0, sizeof x);
        memset(y, 0, sizeof y);
        memcpy(x, a + done, now * sizeof *x);
        memcpy(y, b + done * step, (step ? now : 8) * sizeof *y);
        F(ifma_mul_groups)(x, x, y, 1);
        memcpy(out + done, x, now * sizeof *x);
    }
}

static void F(ifma_mul_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n) {
    F(ifma_mul_any)(out, a, b, 1, n);
}

static void F(ifma_scale_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *k, size_t n) {
    zkr_fe factor[8 * IFMA_GROUP];
    for (size_t i = 0; i < 8 * IFMA_GROUP; i++) factor[i] = *k;
    F(ifma_mul_any)(out, a, factor, 0, n);
}

static void F(ifma_to_mont_kernel)(zkr_fe *out, const zkr_fe *a, size_t n) {
    F(ifma_scale_kernel)(out, a, &F(r2), n);
}

static void F(ifma_from_mont_kernel)(zkr_fe *out, const zkr_fe *a, size_t n) {
    static const zkr_fe unit = {{1, 0, 0, 0}};
    F(ifma_scale_kernel)(out, a, &unit, n);
}
