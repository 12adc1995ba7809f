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

/* ---- inversion ------------------------------------------------------------------------------ */

/* a product outside the loops */
static __attribute__((noinline)) void F(ifma_product)(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) {
    zkr_v52_mul(out, a, b, &FIELD);
}

/* Eight elements as X < 16 p, with one in the place of zero; the lanes that are not zero */
ZKR_V52_INLINE __mmask8 F(ifma_load_nonzero)(zkr_v52 *out, const zkr_fe *a) {
    __m512i w[4];
    zkr_v52_load_words(w, a[0].l);
    const __m512i any = _mm512_or_si512(_mm512_or_si512(w[0], w[1]), _mm512_or_si512(w[2], w[3]));
    const __mmask8 nonzero = _mm512_test_epi64_mask(any, any);
    zkr_v52_split(out, w, 4);
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_mask_mov_epi64(zkr_v52_set1(FIELD.one[j]), nonzero, out->l[j]);
    return nonzero;
}

/* out[0..7] = inverse * before where the lane is not zero, then inverse *= x */
ZKR_V52_INLINE void F(ifma_inverse_step)(zkr_fe *out, zkr_v52 *inverse, const zkr_v52 *before, const zkr_v52 *x,
                                         __mmask8 nonzero) {
    zkr_v52 t;
    __m512i w[4];
    zkr_v52_mul(&t, inverse, before, &FIELD);
    zkr_v52_mul(inverse, inverse, x, &FIELD);
    zkr_v52_to_mont256(&t, &t, &FIELD);
    zkr_v52_join(w, &t);
    for (int j = 0; j < 4; j++) w[j] = _mm512_maskz_mov_epi64(nonzero, w[j]);
    zkr_v52_store_words(out[0].l, w);
}

/* In constant time, since callers may invert secrets: Fermat's power of the integer a, taken as the
 * Montgomery form of a / 2^256, is the form of 2^256 / a; read as an integer, 2^512 / a. */
static void F(ifma_invert)(zkr_fe *out, const zkr_fe *a) {
    F(inv)(out, a);
    F(from_mont)(out, out);
    F(from_mont)(out, out);
}

/* Montgomery's trick in each of eight lanes, as four chains of products side by side so that one
 * fills another's waiting: three products an element, and one inversion for all. The running products
 * before each vector, below 2^256, rest in scratch as columns of words. Bounds in units of p: the
 * products are below 2 * 16/84 + 1 < 1.4. */
static void F(ifma_inverse_kernel)(zkr_fe *out, const zkr_fe *a, zkr_fe *scratch, size_t n) {
    const size_t vectors = n / 8, rest = n % 8;
    zkr_v52 chain[4], inverse[4], x, last_x, last_before, t, u;
    __mmask8 last_nonzero = 0;
    zkr_fe last[8];
    __m512i w[4];
    for (int c = 0; c < 4; c++) zkr_v52_broadcast(&chain[c], FIELD.one);
    for (size_t i = 0; i < vectors; i++) {
        (void)F(ifma_load_nonzero)(&x, a + 8 * i);
        zkr_v52_join(w, &chain[i % 4]);
        for (int j = 0; j < 4; j++) _mm512_storeu_si512((void *)(scratch[8 * i].l + 8 * j), w[j]);
        zkr_v52_mul(&chain[i % 4], &chain[i % 4], &x, &FIELD);
    }
    if (rest != 0) {
        memset(last, 0, sizeof last);
        memcpy(last, a + 8 * vectors, rest * sizeof *last);
        last_nonzero = F(ifma_load_nonzero)(&last_x, last);
        last_before = chain[0];
        F(ifma_product)(&chain[0], &chain[0], &last_x);
    }
    F(ifma_product)(&t, &chain[0], &chain[1]);
    F(ifma_product)(&u, &chain[2], &chain[3]);
    F(ifma_product)(&x, &t, &u);
    zkr_v52_inverse(&x, &x, &FIELD, F(ifma_invert));
    F(ifma_product)(&u, &u, &x); /* 1/(c0 c1) */
    F(ifma_product)(&t, &t, &x); /* 1/(c2 c3) */
    F(ifma_product)(&inverse[0], &u, &chain[1]);
    F(ifma_product)(&inverse[1], &u, &chain[0]);
    F(ifma_product)(&inverse[2], &t, &chain[3]);
    F(ifma_product)(&inverse[3], &t, &chain[2]);
    if (rest != 0) {
        F(ifma_inverse_step)(last, &inverse[0], &last_before, &last_x, last_nonzero);
        memcpy(out + 8 * vectors, last, rest * sizeof *last);
    }
    for (size_t i = vectors; i-- > 0;) {
        const __mmask8 nonzero = F(ifma_load_nonzero)(&x, a + 8 * i);
        for (int j = 0; j < 4; j++) w[j] = _mm512_loadu_si512((const void *)(scratch[8 * i].l + 8 * j));
        zkr_v52_split(&t, w, 0);
        F(ifma_inverse_step)(out + 8 * i, &inverse[i % 4], &t, &x, nonzero);
    }
}
