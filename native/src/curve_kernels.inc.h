/* curve_kernels.inc.h: kernels of one group; expects G(name), B(name), FE, POINT, XYZZ.
 *
 * The sum of two affine points is lambda = (y2 - y1)/(x2 - x1), x3 = lambda^2 - x1 - x2,
 * y3 = lambda (x1 - x3) - y1; for equal points lambda = 3 x1^2 / (2 y1). The denominators of many
 * independent sums are inverted together (Montgomery's trick), which costs three products each. */

/* The denominator of p + q; false when the sum needs none (an infinite or opposite operand). */
ZKR_INLINE bool G(pair_denominator)(FE *d, const POINT *p, const POINT *q) {
    if (__builtin_expect(G(is_infinity)(p) | G(is_infinity)(q), 0)) return false;
    B(sub)(d, &q->x, &p->x);
    if (__builtin_expect(!B(is_zero)(d), 1)) return true;
    if (!B(eq)(&p->y, &q->y) || B(is_zero)(&p->y)) return false;
    B(dbl)(d, &p->y);
    return true;
}

/* p + q given the inverse of their denominator; neither infinite nor opposite. */
ZKR_INLINE void G(pair_sum)(POINT *out, const POINT *p, const POINT *q, const FE *inverse) {
    FE n, l, x3;
    if (__builtin_expect(B(eq)(&p->x, &q->x), 0)) {
        B(sqr)(&l, &p->x);
        B(dbl)(&n, &l);
        B(add)(&n, &n, &l);
    } else {
        B(sub)(&n, &q->y, &p->y);
    }
    B(mul)(&l, &n, inverse);
    B(sqr)(&x3, &l);
    B(sub)(&x3, &x3, &p->x);
    B(sub)(&x3, &x3, &q->x);
    B(sub)(&n, &p->x, &x3);
    B(mul)(&n, &n, &l);
    B(sub)(&out->y, &n, &p->y);
    out->x = x3;
}

/* p + q when pair_denominator said that none is needed: q, p, or infinity for opposite ones. */
ZKR_INLINE void G(pair_trivial)(POINT *out, const POINT *p, const POINT *q) {
    if (G(is_infinity)(p)) {
        *out = *q;
    } else if (G(is_infinity)(q)) {
        *out = *p;
    } else {
        out->x = B(zero);
        out->y = B(zero);
    }
}

static void G(add_kernel)(POINT *out, const POINT *a, const POINT *b, size_t n, FE *scratch) {
    FE acc = B(one), d, inverse;
    for (size_t i = n; i-- > 0;) {
        if (G(pair_denominator)(&d, &a[i], &b[i])) {
            scratch[i] = acc; /* the product of the denominators after i */
            B(mul)(&acc, &acc, &d);
        }
    }
    B(inv)(&acc, &acc);
    for (size_t i = 0; i < n; i++) {
        const POINT p = a[i], q = b[i];
        if (G(pair_denominator)(&d, &p, &q)) {
            B(mul)(&inverse, &acc, &scratch[i]);
            B(mul)(&acc, &acc, &d);
            G(pair_sum)(&out[i], &p, &q, &inverse);
        } else {
            G(pair_trivial)(&out[i], &p, &q);
        }
    }
}

static void G(gather_kernel)(POINT *out, const POINT *bases, const uint32_t *entries, size_t n) {
    const size_t ahead = 16;
    for (size_t i = 0; i < n; i++) {
        if (i + ahead < n) {
            const char *next = (const char *)&bases[entries[i + ahead] & 0x7fffffffu];
            __builtin_prefetch(next);
            if (sizeof(POINT) > 64) __builtin_prefetch(next + 64);
        }
        const POINT *p = &bases[entries[i] & 0x7fffffffu];
        if (entries[i] >> 31)
            G(neg)(&out[i], p);
        else
            out[i] = *p;
    }
}

/* Rounds that add neighbours within each segment and so halve it. The denominators are collected
 * from the end, so that the sums can be made and written from the beginning, over points read. */
static void G(sum_segments_kernel)(POINT *points, uint32_t *lengths, size_t segments, FE *scratch) {
    for (;;) {
        FE acc = B(one), d, inverse;
        size_t total = 0, pairs = 0;
        for (size_t s = 0; s < segments; s++) {
            total += lengths[s];
            pairs += lengths[s] / 2;
        }
        if (pairs == 0) return;
        size_t k = pairs;
        size_t at = total;
        for (size_t s = segments; s-- > 0;) {
            at -= lengths[s];
            for (size_t i = lengths[s] / 2; i-- > 0;) {
                k--;
                if (G(pair_denominator)(&d, &points[at + 2 * i], &points[at + 2 * i + 1])) {
                    scratch[k] = acc;
                    B(mul)(&acc, &acc, &d);
                }
            }
        }
        B(inv_vartime)(&acc, &acc);
        size_t to = 0;
        for (size_t s = 0; s < segments; s++) {
            const uint32_t length = lengths[s];
            for (uint32_t i = 0; i < length / 2; i++, k++, at += 2) {
                const POINT p = points[at], q = points[at + 1];
                if (G(pair_denominator)(&d, &p, &q)) {
                    B(mul)(&inverse, &acc, &scratch[k]);
                    B(mul)(&acc, &acc, &d);
                    G(pair_sum)(&points[to++], &p, &q, &inverse);
                } else {
                    G(pair_trivial)(&points[to++], &p, &q);
                }
            }
            if (length & 1) points[to++] = points[at++];
            lengths[s] = (length + 1) / 2;
        }
    }
}

static void G(sum_entries_kernel)(POINT *points, const POINT *bases, const uint32_t *entries, uint32_t *lengths,
                                  size_t segments, uint32_t *places, FE *scratch) {
    size_t total = 0;
    (void)places;
    for (size_t s = 0; s < segments; s++) total += lengths[s];
    G(gather_kernel)(points, bases, entries, total);
    G(sum_segments_kernel)(points, lengths, segments, scratch);
}

static void G(is_on_curve_kernel)(uint8_t *out, const POINT *points, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = G(is_on_curve)(&points[i]);
}

static void G(weighted_sum_kernel)(XYZZ *out, XYZZ *total, const POINT *points, size_t n) {
    G(set_infinity)(out);
    G(set_infinity)(total);
    for (size_t i = n; i-- > 0;) {
        G(add_affine)(total, &points[i]);
        G(add)(out, total);
    }
}

/* The bucket method with windows of four bits, one bucket pass a window. */
static void G(msm_few_kernel)(XYZZ *out, const POINT *bases, const zkr_fe *scalars, size_t n) {
    XYZZ acc;
    G(set_infinity)(&acc);
    for (int w = 63; w >= 0; w--) {
        XYZZ buckets[16], run, sum;
        for (int d = 1; d < 16; d++) G(set_infinity)(&buckets[d]);
        for (size_t i = 0; i < n; i++) {
            const unsigned digit = (scalars[i].l[w / 16] >> (4 * (w % 16))) & 15;
            if (digit != 0) G(add_affine)(&buckets[digit], &bases[i]);
        }
        G(set_infinity)(&run);
        G(set_infinity)(&sum);
        for (int d = 15; d > 0; d--) {
            G(add)(&run, &buckets[d]);
            G(add)(&sum, &run);
        }
        for (int j = 0; j < 4; j++) G(double)(&acc);
        G(add)(&acc, &sum);
    }
    *out = acc;
}
