/* ifma_scale_group.inc.h: points of one group times scalars on eight lanes, included by
 * kernels_ifma_scale.c for G1 and G2.
 *
 * Expects G(name), L(name) (lanes of the base field), BETA, FE, V, POINT, XYZZ, WEAKEN (brings a
 * coordinate below 1 + 2^-40, or does nothing), and the bounds OVER_X .. OVER_8C.
 *
 * Each lane multiplies its point by its scalar, split in two halves (glv.h), four bits a step: four
 * doublings, then d P and e (lambda P) from a table of P .. 8 P are added. Jacobian coordinates
 * (x = X/Z^2, y = Y/Z^3), Explicit-Formulas Database, a = 0: dbl-2009-l with 4 X B for D, 3 products and 4
 * squares; madd, 8 and 3. The table is made without an inversion by the way of libsecp256k1: its entries are
 * brought to one Z, and are then affine on the curve that Z makes isomorphic, whose formulas are the
 * same; at the end Z is multiplied by that one. Per point: 128 doublings, 64 additions, 115 products for
 * the table and 9 to leave: about 1725 products, of which 2/5 are squares.
 *
 * Every lane goes through all entries of the table for each digit, so that neither time nor memory
 * accesses depend on the scalars when `secret` is set; when it is not, additions and steps that no lane
 * needs are left out. A sum of equal or opposite points, which takes special scalars or points, makes
 * Z zero, and Z stays so: those lanes are done again one by one with complete formulas.
 *
 * Bounds in units of p, of which 2^260 holds 84. G1: x < 15.7, y < 13.2, z < 3. Doubling: A < 3.94,
 * B < 3.08, C < 1.12, X B < 1.58, D < 6.32, E < 11.9, F < 2.7, X' < 2.7 + 13, D - X' + 16 < 22.4,
 * Y' < 4.2 + 9, Z' < 2 * 1.48. Adding (x2, y2) < 2: Z Z < 1.11, U, S < 1.04, H < 17.1, R < 15.1,
 * H H < 4.5, H H H < 1.92, V < 1.85, R R < 3.8, X' < 9.8, V - X' + 16 < 17.9, Y' < 4.3 + 2, Z' < 1.7.
 * G2, where a product of a (at most 8) and b is below (a + 8) b / 84 + 1 and a square of a below
 * 2 a (a + 8) / 84 + 1: x, y weak, z < 2.6. A, B < 1.22, C < 1.27, D < 4.6, E < 3.7, F < 2.1,
 * X' < 12.1 before it is weakened, D - X' + 2 < 6.6, Y' < 2 + 11, Z' < 2.6; in additions
 * Z Z < 1.65, U, S < 1.25, H, R < 3.3, H H < 1.9, H H H < 1.3, V < 1.25, X' < 6.1, Z' < 1.5. */

typedef struct {
    V x, y, z;
} G(jacobian);

typedef struct {
    V x[8], y[8], turned[8]; /* entry d - 1: d P as (x, y), d lambda P as (turned, y); below 2 */
    V z;                     /* the Z of all */
} G(table);

static __attribute__((noinline)) void G(lanes_double)(G(jacobian) *p) {
    V a, b, c, d, e, t;
    L(sqr)(&a, &p->x);
    L(sqr)(&b, &p->y);
    L(mul)(&t, &p->y, &p->z);
    L(add)(&p->z, &t, &t);
    L(mul)(&d, &p->x, &b);
    L(shift)(&d, &d, 2);
    L(sqr)(&c, &b);
    L(add)(&e, &a, &a);
    L(add)(&e, &e, &a);
    L(sqr)(&p->x, &e);
    L(add)(&t, &d, &d);
    L(sub)(&p->x, &p->x, &t, OVER_2D);
    WEAKEN(&p->x);
    L(sub)(&t, &d, &p->x, OVER_X);
    L(mul)(&t, &e, &t);
    L(shift)(&c, &c, 3);
    L(sub)(&p->y, &t, &c, OVER_8C);
    WEAKEN(&p->y);
}

/* out = p + (x2, y2); *ratio, which may be NULL, is out's Z over p's. out may be p. */
static __attribute__((noinline)) void G(lanes_add)(G(jacobian) *out, V *ratio, const G(jacobian) *p, const V *x2,
                                                   const V *y2) {
    V zz, u, s, h, r, hh, hhh, v;
    L(sqr)(&zz, &p->z);
    L(mul)(&u, x2, &zz);
    L(mul)(&s, &p->z, &zz);
    L(mul)(&s, y2, &s);
    L(sub)(&h, &u, &p->x, OVER_X);
    L(sub)(&r, &s, &p->y, OVER_Y);
    L(sqr)(&hh, &h);
    L(mul)(&hhh, &h, &hh);
    L(mul)(&v, &p->x, &hh);
    L(mul)(&out->z, &p->z, &h);
    L(mul)(&s, &p->y, &hhh);
    L(sqr)(&u, &r);
    L(add)(&hhh, &hhh, &v);
    L(add)(&hhh, &hhh, &v);
    L(sub)(&out->x, &u, &hhh, 6);
    WEAKEN(&out->x);
    L(sub)(&v, &v, &out->x, OVER_X);
    L(mul)(&v, &r, &v);
    L(sub)(&out->y, &v, &s, 2);
    WEAKEN(&out->y);
    if (ratio != NULL) *ratio = h;
}

/* The multiples of (x, y), weak */
static __attribute__((noinline)) void G(table_fill)(G(table) *t, const V *x, const V *y) {
    G(jacobian) p = {.x = *x, .y = *y};
    V ratio[8], over, square, cube; /* ratio[i]: Z of entry i over that of entry i - 1 */
    L(one)(&p.z);
    t->x[0] = *x, t->y[0] = *y;
    G(lanes_double)(&p);
    ratio[1] = p.z;
    t->x[1] = p.x, t->y[1] = p.y;
    for (int i = 2; i < 8; i++) {
        G(lanes_add)(&p, &ratio[i], &p, x, y);
        t->x[i] = p.x, t->y[i] = p.y;
    }
    t->z = p.z;
    L(reduce)(&t->x[7]);
    L(reduce)(&t->y[7]);
    over = ratio[7];
    for (int i = 6; i >= 0; i--) {
        L(sqr)(&square, &over);
        L(mul)(&cube, &over, &square);
        L(mul)(&t->x[i], &t->x[i], &square);
        L(mul)(&t->y[i], &t->y[i], &cube);
        if (i > 0) L(mul)(&over, &ratio[i], &over);
    }
    for (int i = 0; i < 8; i++) L(mul1)(&t->turned[i], &t->x[i], BETA);
}

/* p += digit * the table's point (of lambda P when `turned`), in the lanes where it is not zero */
static __attribute__((noinline)) void G(lanes_add_digit)(G(jacobian) *p, __mmask8 *started, const G(table) *t,
                                                         bool turned, __m512i digit, bool secret) {
    const __m512i zero = _mm512_setzero_si512(), magnitude = _mm512_abs_epi64(digit);
    const __mmask8 some = _mm512_cmpneq_epi64_mask(digit, zero), minus = _mm512_cmplt_epi64_mask(digit, zero);
    const V *const xs = turned ? t->turned : t->x;
    if (!secret && some == 0) return;
    V x = xs[0], y = t->y[0], opposite;
    for (int i = 1; i < 8; i++) {
        const __mmask8 here = _mm512_cmpeq_epi64_mask(magnitude, zkr_v52_set1((uint64_t)i + 1));
        L(select)(&x, &xs[i], here);
        L(select)(&y, &t->y[i], here);
    }
    memset(&opposite, 0, sizeof opposite);
    L(sub)(&opposite, &opposite, &y, 2);
    L(select)(&y, &opposite, minus);
    G(jacobian) sum;
    G(lanes_add)(&sum, NULL, p, &x, &y);
    const __mmask8 add = some & *started, first = (__mmask8)(some & ~*started);
    L(select)(&p->x, &sum.x, add);
    L(select)(&p->y, &sum.y, add);
    L(select)(&p->z, &sum.z, add);
    L(one)(&sum.z);
    L(select)(&p->x, &x, first);
    L(select)(&p->y, &y, first);
    L(select)(&p->z, &sum.z, first);
    *started |= some;
}

/* Eight points times eight scalars given as digits; the lanes that were touched by no digit are not in the
 * mask returned */
static __attribute__((noinline)) __mmask8 G(lanes_scale)(G(jacobian) *p, const V *x, const V *y,
                                                         const int8_t digits[2 * ZKR_GLV_WINDOWS][8], bool secret) {
    G(table) table;
    __mmask8 started = 0;
    G(table_fill)(&table, x, y);
    p->x = *x, p->y = *y;
    L(one)(&p->z);
    for (unsigned w = ZKR_GLV_WINDOWS; w-- > 0;) {
        if (secret || started != 0) {
            for (int i = 0; i < 4; i++) G(lanes_double)(p);
        }
        for (unsigned half = 0; half < 2; half++) {
            const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)digits[half * ZKR_GLV_WINDOWS + w]);
            G(lanes_add_digit)(p, &started, &table, half == 1, _mm512_cvtepi8_epi64(bytes), secret);
        }
    }
    L(mul)(&p->z, &p->z, &table.z);
    if (secret) {
        memset(&table, 0, sizeof table);
        __asm__ volatile("" : : "r"(&table) : "memory");
    }
    return started;
}

/* At most 8 VECTORS points. Bounds: the products of all Z are below 2, and so are 1/Z and its powers. */
static void G(scale_some)(POINT *out, const POINT *points, const zkr_fe *scalars, const size_t step, const size_t n,
                          const bool secret) {
    G(jacobian) sums[VECTORS];
    V before[VECTORS], inverse, t, u;
    __mmask8 finite[VECTORS], again[VECTORS];
    int8_t digits[2 * ZKR_GLV_WINDOWS][8] __attribute__((aligned(64)));
    const size_t vectors = (n + 7) / 8;
    for (size_t v = 0; v < vectors; v++) {
        const FE *rows[8];
        V x, y;
        finite[v] = 0;
        for (unsigned i = 0; i < 8; i++) {
            const size_t at = 8 * v + i < n ? 8 * v + i : n - 1;
            rows[i] = &points[at].x;
            finite[v] |= (__mmask8)(!G(is_infinity)(&points[at]) << i);
            if (step != 0 || (v == 0 && i == 0))
                zkr_glv_split(&digits[0][i], 8, &scalars[step * at]);
            else if (v == 0)
                for (unsigned w = 0; w < 2 * ZKR_GLV_WINDOWS; w++) digits[w][i] = digits[w][0];
        }
        L(load)(&x, rows);
        for (unsigned i = 0; i < 8; i++) rows[i] = &points[8 * v + i < n ? 8 * v + i : n - 1].y;
        L(load)(&y, rows);
        finite[v] &= G(lanes_scale)(&sums[v], &x, &y, (const int8_t(*)[8])digits, secret);
        again[v] = L(is_zero)(&sums[v].z) & finite[v];
        L(one)(&t);
        L(select)(&sums[v].z, &t, (__mmask8)(~finite[v] | again[v]));
        if (v == 0)
            L(one)(&before[0]);
        else
            L(mul)(&before[v], &sums[v - 1].z, &before[v - 1]);
    }
    L(mul)(&t, &sums[vectors - 1].z, &before[vectors - 1]);
    L(inverse)(&inverse, &t, secret);
    for (size_t v = vectors; v-- > 0;) {
        FE *xs[8], *ys[8];
        POINT results[8];
        L(mul)(&t, &before[v], &inverse);
        L(mul)(&inverse, &sums[v].z, &inverse);
        L(sqr)(&u, &t);
        L(mul)(&t, &t, &u);
        L(mul)(&u, &sums[v].x, &u);
        L(mul)(&t, &sums[v].y, &t);
        for (int i = 0; i < 8; i++) xs[i] = &results[i].x, ys[i] = &results[i].y;
        L(store)(xs, &u);
        L(store)(ys, &t);
        for (unsigned i = 0; i < 8 && 8 * v + i < n; i++) {
            const size_t at = 8 * v + i;
            if ((again[v] >> i) & 1) {
                XYZZ sum;
                G(scalar_mul)(&sum, &points[at], &scalars[step * at]);
                G(to_affine)(&out[at], &sum);
            } else if ((finite[v] >> i) & 1) {
                out[at] = results[i];
            } else {
                memset(&out[at], 0, sizeof out[at]);
            }
        }
    }
    if (secret) {
        memset(digits, 0, sizeof digits);
        memset(sums, 0, sizeof sums);
        memset(before, 0, sizeof before);
        __asm__ volatile("" : : "r"(digits), "r"(sums), "r"(before) : "memory");
    }
}

static void G(ifma_scale_kernel)(POINT *out, const POINT *points, const zkr_fe *scalars, size_t step, size_t n,
                                 bool secret) {
    for (size_t at = 0; at < n; at += 8 * VECTORS)
        G(scale_some)(out + at, points + at, scalars + step * at, step, n - at < 8 * VECTORS ? n - at : 8 * VECTORS, secret);
}
