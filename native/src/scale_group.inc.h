/* scale_group.inc.h: points of one group times scalars; expects G(name), B(name), FE, POINT, XYZZ.
 *
 * By windows of four bits and in variable time; the sums of SCALE_BATCH points are made affine by one
 * inversion. */
#ifndef SCALE_BATCH
#define SCALE_BATCH 32
#endif

/* n <= SCALE_BATCH; infinity becomes (0, 0) */
static void G(many_to_affine)(POINT *out, const XYZZ *sums, size_t n) {
    FE before[SCALE_BATCH], acc = B(one), t, z;
    for (size_t i = 0; i < n; i++) {
        before[i] = acc;
        if (!B(is_zero)(&sums[i].zz)) B(mul)(&acc, &acc, &sums[i].zzz);
    }
    B(inv)(&acc, &acc);
    for (size_t i = n; i-- > 0;) {
        if (B(is_zero)(&sums[i].zz)) {
            memset(&out[i], 0, sizeof out[i]);
            continue;
        }
        B(mul)(&t, &acc, &before[i]); /* 1/zzz */
        B(mul)(&acc, &acc, &sums[i].zzz);
        B(mul)(&z, &t, &sums[i].zz); /* 1/z */
        B(sqr)(&z, &z);
        B(mul)(&out[i].x, &sums[i].x, &z);
        B(mul)(&out[i].y, &sums[i].y, &t);
    }
}

static void G(scale_kernel)(POINT *out, const POINT *points, const zkr_fe *scalars, size_t step, size_t n,
                            bool secret) {
    (void)secret;
    XYZZ sums[SCALE_BATCH];
    for (size_t at = 0; at < n; at += SCALE_BATCH) {
        const size_t now = n - at < SCALE_BATCH ? n - at : SCALE_BATCH;
        for (size_t i = 0; i < now; i++) G(scalar_mul)(&sums[i], &points[at + i], &scalars[step * (at + i)]);
        G(many_to_affine)(out + at, sums, now);
    }
}
