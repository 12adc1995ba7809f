/* ntt.inc.h: the two kernels of the transform, included once per instruction set. */

static void ntt_block_kernel(zkr_fe *x, unsigned log_n, size_t width, const zkr_fe *twiddles, bool plain) {
    const size_t n = (size_t)1 << log_n;
    for (size_t m = 1; m < n; m *= 2) {
        for (size_t start = 0; start < n; start += 2 * m) {
            for (size_t j = 0; j < m; j++) {
                zkr_fe *low = x + (start + j) * width;
                zkr_fe *high = low + m * width;
                const zkr_fe *w = &twiddles[m + j];
                if (plain && j == 0) {
                    for (size_t c = 0; c < width; c++) {
                        const zkr_fe t = high[c];
                        fr_sub(&high[c], &low[c], &t);
                        fr_add(&low[c], &low[c], &t);
                    }
                } else {
                    for (size_t c = 0; c < width; c++) {
                        zkr_fe t;
                        fr_mul(&t, &high[c], w);
                        fr_sub(&high[c], &low[c], &t);
                        fr_add(&low[c], &low[c], &t);
                    }
                }
            }
        }
    }
}

static void ntt_twist_kernel(zkr_fe *x, size_t rows, size_t width, zkr_fe *factors, const zkr_fe *ratios) {
    for (size_t j = 0; j < rows; j++) {
        for (size_t c = 0; c < width; c++) {
            fr_mul(&x[j * width + c], &x[j * width + c], &factors[c]);
            fr_mul(&factors[c], &factors[c], &ratios[c]);
        }
    }
}

static void fill_ntt(zkr_kernels *k) {
    k->ntt_block = ntt_block_kernel;
    k->ntt_twist = ntt_twist_kernel;
}
