/* vec_field.inc.h: vector kernels of one field; expects F(name). */

static size_t F(find_noncanonical_kernel)(const zkr_fe *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!F(is_canonical)(&a[i])) return i;
    return ZKR_ALL_CANONICAL;
}

static void F(to_mont_kernel)(zkr_fe *out, const zkr_fe *a, size_t n) {
    for (size_t i = 0; i < n; i++) F(to_mont)(&out[i], &a[i]);
}

static void F(from_mont_kernel)(zkr_fe *out, const zkr_fe *a, size_t n) {
    for (size_t i = 0; i < n; i++) F(from_mont)(&out[i], &a[i]);
}

static void F(add_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n) {
    for (size_t i = 0; i < n; i++) F(add)(&out[i], &a[i], &b[i]);
}

static void F(sub_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n) {
    for (size_t i = 0; i < n; i++) F(sub)(&out[i], &a[i], &b[i]);
}

static void F(mul_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b, size_t n) {
    for (size_t i = 0; i < n; i++) F(mul)(&out[i], &a[i], &b[i]);
}

static void F(scale_kernel)(zkr_fe *out, const zkr_fe *a, const zkr_fe *k, size_t n) {
    const zkr_fe factor = *k;
    for (size_t i = 0; i < n; i++) F(mul)(&out[i], &a[i], &factor);
}

/* Montgomery's trick: 3 products an element and one inversion. A zero counts as one in the running
 * product and is given back as zero. */
static void F(inverse_kernel)(zkr_fe *out, const zkr_fe *a, zkr_fe *scratch, size_t n) {
    zkr_fe acc = F(one);
    for (size_t i = 0; i < n; i++) {
        scratch[i] = acc;
        if (!F(is_zero)(&a[i])) F(mul)(&acc, &acc, &a[i]);
    }
    F(inv)(&acc, &acc);
    for (size_t i = n; i-- > 0;) {
        const zkr_fe x = a[i];
        if (F(is_zero)(&x)) {
            out[i] = x;
        } else {
            F(mul)(&out[i], &acc, &scratch[i]);
            F(mul)(&acc, &acc, &x);
        }
    }
}
