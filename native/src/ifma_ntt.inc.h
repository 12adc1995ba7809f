/* ifma_ntt.inc.h: transforms of eight interleaved vectors in radix 2^52, included by kernels_ifma.c.
 *
 * Two directions, both with radix-4 butterflies that multiply before they add. "Down" takes natural
 * order to bit-reversed order: X^n - z^2 splits into (X^(n/2) - z)(X^(n/2) + z), so a block has one
 * factor. "Up" takes bit-reversed order to natural order: decimation in time, a factor an offset.
 * Pairing them needs no permutation; where only one is used, the rows that follow are picked in
 * order, 256 bytes at a time.
 *
 * Bounds are in units of r, of which 84.5 fit in 2^260:
 *   - a product by a known factor ("Shoup") of anything below 2^260 is below 10.01: see ntt8_shoup;
 *   - a butterfly's first element is reduced below 1.01 first; its outputs are below 33;
 *   - so a vector of four elements or more leaves a transform below 33.
 */
#include "ifma_ntt.h"

/* ---- products by known factors -------------------------------------------------------------- */

ZKR_V52_INLINE __m512i ntt8_limb(const uint64_t *factor, const int j, const bool lanes) {
    return lanes ? _mm512_load_si512((const void *)(factor + 8 * j)) : zkr_v52_set1(factor[j]);
}

/* Limbs may be anything signed; the value is taken modulo 2^260. */
ZKR_V52_INLINE void ntt8_tidy(zkr_v52 *x) {
    zkr_v52_tidy(x);
    x->l[4] = _mm512_and_si512(x->l[4], zkr_v52_set1(ZKR_V52_MASK));
}

/* a w mod r, below 10.01 r, for tidy a < 2^260 and w < r with wq = floor(w 2^260 / r). The limbs of the
 * result, each in [0, 2^57), give the value modulo 2^260; ntt8_tidy makes it proper.
 *
 * q is a wq / 2^260 from the columns of weight 2^260 and more, and the result a w - q r needs only the
 * columns below: 25 multiply-adds thrice, where a Montgomery product takes 100. Neglected are below
 * 2^260 at most 9 terms of weight 2^208 and below 2^52 each, and lower columns, together below
 * (9 + 2^-40) 2^260; and a (w / r - wq / 2^260) < 1. So a w / r - q is in [0, 10 + 2^-40). Multiplying
 * q by 2^260 - r instead of -r changes nothing modulo 2^260. The multiply-adds read 52 bits of a
 * factor, so q's limbs need no mask once their carries have moved on. */
ZKR_V52_INLINE void ntt8_shoup_any(zkr_v52 *out, const zkr_v52 *a, const uint64_t *w, const uint64_t *wq,
                                   const bool lanes) {
    __m512i lo[5], hi[5], t[5], u[5];
#pragma GCC unroll 5
    for (int k = 0; k < 5; k++) lo[k] = hi[k] = t[k] = u[k] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
        const __m512i f = ntt8_limb(wq, j, lanes);
#pragma GCC unroll 5
        for (int i = 4 - j; i < 5; i++) {
            hi[i + j - 4] = _mm512_madd52hi_epu64(hi[i + j - 4], a->l[i], f);
            if (i + j >= 5) lo[i + j - 5] = _mm512_madd52lo_epu64(lo[i + j - 5], a->l[i], f);
        }
    }
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
        const __m512i f = ntt8_limb(w, j, lanes);
#pragma GCC unroll 5
        for (int i = 0; i < 5 - j; i++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a->l[i], f);
            if (i + j < 4) u[i + j + 1] = _mm512_madd52hi_epu64(u[i + j + 1], a->l[i], f);
        }
    }
    __m512i q[5];
#pragma GCC unroll 5
    for (int k = 0; k < 5; k++) {
        q[k] = _mm512_add_epi64(lo[k], hi[k]);
        if (k > 0) q[k] = _mm512_add_epi64(q[k], _mm512_srli_epi64(q[k - 1], 52));
    }
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
#pragma GCC unroll 5
        for (int i = 0; i < 5 - j; i++) {
            const __m512i f = zkr_v52_set1(zkr_ntt8_minus_r[i]);
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], q[j], f);
            if (i + j < 4) u[i + j + 1] = _mm512_madd52hi_epu64(u[i + j + 1], q[j], f);
        }
    }
    for (int k = 0; k < 5; k++) out->l[k] = _mm512_add_epi64(t[k], u[k]);
}

ZKR_V52_INLINE void ntt8_shoup(zkr_v52 *out, const zkr_v52 *a, const zkr_ntt8_factor *w) {
    ntt8_shoup_any(out, a, w->w, w->q, false);
}

/* A factor in every lane */
typedef struct {
    uint64_t w[40], q[40];
} __attribute__((aligned(64))) ntt8_factors;

/* The factors whose Montgomery form of radix 2^260 is tidy X < 16 r: w is X reduced by one
 * Montgomery step; 2^260 w = r wq + X mod r, so wq = -X / r modulo 2^260, and it is below that. */
static __attribute__((noinline)) void ntt8_factors_of(ntt8_factors *out, const zkr_v52 *x) {
    zkr_v52 w, rest, q = {0};
    zkr_v52_to_integer(&w, x, &zkr_f52_fr);
    zkr_v52_canonical(&rest, x, &zkr_f52_fr);
    for (int j = 0; j < 5; j++) q.l[j] = _mm512_setzero_si512();
    for (int j = 0; j < 5; j++) {
        const __m512i f = zkr_v52_set1(zkr_ntt8_minus_inverse[j]);
        for (int i = 0; i < 5 - j; i++) {
            q.l[i + j] = _mm512_madd52lo_epu64(q.l[i + j], rest.l[i], f);
            if (i + j < 4) q.l[i + j + 1] = _mm512_madd52hi_epu64(q.l[i + j + 1], rest.l[i], f);
        }
    }
    ntt8_tidy(&q);
    for (int j = 0; j < 5; j++) {
        _mm512_store_si512((void *)(out->w + 8 * j), w.l[j]);
        _mm512_store_si512((void *)(out->q + 8 * j), q.l[j]);
    }
}

/* ---- butterflies ---------------------------------------------------------------------------- */

ZKR_V52_INLINE void ntt8_plus(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b) {
    for (int j = 0; j < 5; j++) out->l[j] = _mm512_add_epi64(a->l[j], b->l[j]);
}

/* a - b + k r */
ZKR_V52_INLINE void ntt8_minus(zkr_v52 *out, const zkr_v52 *a, const zkr_v52 *b, const uint64_t k) {
    for (int j = 0; j < 5; j++)
        out->l[j] = _mm512_sub_epi64(_mm512_add_epi64(a->l[j], zkr_v52_set1(k * zkr_f52_fr.p[j])), b->l[j]);
}

/* Tidy a < 2^260 -> below 1.01 r, in limbs for ntt8_tidy; zkr_v52_reduce says why the quotient is right */
ZKR_V52_INLINE void ntt8_reduce(zkr_v52 *out, const zkr_v52 *a) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i q = _mm512_srli_epi64(_mm512_madd52hi_epu64(zero, a->l[4], zkr_v52_set1(zkr_f52_fr.mu)), 45);
    zkr_v52 t = *a;
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
        const __m512i f = zkr_v52_set1(zkr_ntt8_minus_r[j]);
        t.l[j] = _mm512_madd52lo_epu64(t.l[j], q, f);
        if (j < 4) t.l[j + 1] = _mm512_madd52hi_epu64(t.l[j + 1], q, f);
    }
    *out = t;
}

/* Butterflies at a time, in phases: one alone would leave the processor waiting for the second of two
 * dependent products with too little else in sight. */
#define NTT8_GROUP 4

/* `count` butterflies (NTT8_GROUP at most), each on x[0], x[m], x[2m], x[3m] with x moving by `step` and node
 * by `node_step`: with z, z^2, z^3 = node,
 *   (x + s) + (p + q), (x + s) - (p + q), (x - s) + i (p - q), (x - s) - i (p - q).
 * Down, s = z^2 x[2m], p = z x[m], and the results stay in order; up, s = z^2 x[m], p = z x[2m], and the
 * middle results change places; q = z^3 x[3m]. In `trivial` ones z is 1.
 * Bounds: x < 1.01; s, p, q < 10.01, so that the sums are below 11.1 + 20.1, 11.1 + 21, 12.1 + 10.1,
 * 12.1 + 11. Trivial, s, p, q < 1.01 as x is, and all is smaller. */
ZKR_V52_INLINE void ntt8_radix4(zkr_v52 *x, const size_t step, const size_t m, const zkr_ntt8_factor (*node)[3],
                                const size_t node_step, const size_t count, const bool trivial, const bool down,
                                const zkr_ntt8_factor *quarter) {
    const size_t at_s = down ? 2 * m : m, at_p = down ? m : 2 * m;
    zkr_v52 z[NTT8_GROUP], v[NTT8_GROUP];
    for (size_t g = 0; g < count; g++) {
        const zkr_ntt8_factor *factor = node[g * node_step];
        zkr_v52 *at = x + g * step, first, s, p, q, u, y;
        if (trivial) {
            ntt8_reduce(&p, &at[at_p]);
            ntt8_reduce(&q, &at[3 * m]);
            ntt8_reduce(&s, &at[at_s]);
        } else {
            ntt8_shoup(&p, &at[at_p], &factor[0]);
            ntt8_shoup(&q, &at[3 * m], &factor[2]);
            ntt8_shoup(&s, &at[at_s], &factor[1]);
        }
        ntt8_reduce(&first, &at[0]);
        ntt8_minus(&z[g], &p, &q, 11);
        ntt8_tidy(&z[g]);
        ntt8_plus(&y, &p, &q);
        ntt8_plus(&u, &first, &s);
        ntt8_minus(&v[g], &first, &s, 11);
        ntt8_plus(&at[0], &u, &y);
        ntt8_tidy(&at[0]);
        ntt8_minus(&at[at_p], &u, &y, 21);
        ntt8_tidy(&at[at_p]);
    }
    for (size_t g = 0; g < count; g++) {
        zkr_v52 *at = x + g * step, t;
        ntt8_shoup(&t, &z[g], quarter);
        ntt8_plus(&at[at_s], &v[g], &t);
        ntt8_tidy(&at[at_s]);
        ntt8_minus(&at[3 * m], &v[g], &t, 11);
        ntt8_tidy(&at[3 * m]);
    }
}

/* x[0], x[m] -> x[0] + z x[m], x[0] - z x[m], where z is 1 and both are below 5.3, or z is the root of
 * order 4 and x[0] is below 33: below 16.3 or 44.1 */
ZKR_V52_INLINE void ntt8_radix2(zkr_v52 *x, const size_t m, const zkr_ntt8_table *t) {
    zkr_v52 first = x[0], s = x[m];
    if (!t->plain) ntt8_shoup(&s, &s, &t->quarter);
    ntt8_plus(&x[0], &first, &s);
    ntt8_minus(&x[m], &first, &s, 11);
    ntt8_tidy(&x[0]);
    ntt8_tidy(&x[m]);
}

/* ---- transforms of eight vectors -------------------------------------------------------------- */

/* Blocks of this many vectors and fewer are finished before others are touched: 20 KB */
#define NTT8_BLOCK 64

/* Butterflies of x + j * step, node + j * node_step for j < n */
#define NTT8_BUTTERFLIES(name, trivial, down)                                                                 \
    static __attribute__((noinline)) void name(zkr_v52 *x, size_t step, size_t m,                             \
                                               const zkr_ntt8_factor (*node)[3], size_t node_step, size_t n,  \
                                               const zkr_ntt8_table *t) {                                     \
        for (; n >= NTT8_GROUP; n -= NTT8_GROUP) {                                                            \
            ntt8_radix4(x, step, m, node, node_step, NTT8_GROUP, trivial, down, &t->quarter);                 \
            x += NTT8_GROUP * step;                                                                           \
            node += NTT8_GROUP * node_step;                                                                   \
        }                                                                                                     \
        if (n != 0) ntt8_radix4(x, step, m, node, node_step, n, trivial, down, &t->quarter);                  \
    }
NTT8_BUTTERFLIES(ntt8_down_butterflies, false, true)
NTT8_BUTTERFLIES(ntt8_down_trivial, true, true)
NTT8_BUTTERFLIES(ntt8_up_butterflies, false, false)
NTT8_BUTTERFLIES(ntt8_up_trivial, true, false)
#undef NTT8_BUTTERFLIES

/* The k-th block of n vectors among `count` */
static void ntt8_down_block(zkr_v52 *x, size_t n, size_t count, size_t k, const zkr_ntt8_table *t) {
    for (size_t m = n / 4, blocks = 1; m > 0; m /= 4, blocks *= 4) {
        const zkr_ntt8_factor(*nodes)[3] = t->nodes + (count * blocks - 1) / 3 + k * blocks;
        const size_t trivial = t->plain && k == 0; /* how many: one or none */
        if (trivial != 0) ntt8_down_trivial(x, 1, m, nodes, 0, m, t);
        if (m == 1) {
            ntt8_down_butterflies(x + 4 * trivial, 4, 1, nodes + trivial, 1, blocks - trivial, t);
        } else {
            for (size_t b = trivial; b < blocks; b++)
                ntt8_down_butterflies(x + 4 * m * b, 1, m, nodes + b, 0, m, t);
        }
        if (n > NTT8_BLOCK) {
            for (size_t b = 0; b < 4; b++) ntt8_down_block(x + b * m, m, 4 * count, 4 * k + b, t);
            return;
        }
    }
}

/* natural -> bit-reversed order; the input below 5.3 when the table is plain, else below 2^260 */
static void ntt8_down(zkr_v52 *x, const zkr_ntt8_table *t) {
    const size_t n = (size_t)1 << t->log_n;
    if (t->log_n % 2 == 0) {
        ntt8_down_block(x, n, 1, 0, t);
        return;
    }
    for (size_t j = 0; j < n / 2; j++) ntt8_radix2(x + j, n / 2, t);
    for (size_t b = 0; b < 2; b++) ntt8_down_block(x + b * (n / 2), n / 2, 2, b, t);
}

/* The step from blocks of m to blocks of 4m, on n vectors */
static void ntt8_up_step(zkr_v52 *x, size_t n, size_t m, const zkr_ntt8_table *t) {
    const zkr_ntt8_factor(*nodes)[3] = t->nodes + (m - 1) / 3;
    const size_t trivial = t->plain; /* how many in a block: one or none */
    if (m == 1) {
        (t->plain ? ntt8_up_trivial : ntt8_up_butterflies)(x, 4, 1, nodes, 0, n / 4, t);
        return;
    }
    if (trivial != 0) ntt8_up_trivial(x, 4 * m, m, nodes, 0, n / (4 * m), t);
    for (size_t b = 0; b < n; b += 4 * m)
        ntt8_up_butterflies(x + b + trivial, 1, m, nodes + trivial, 1, m - trivial, t);
}

static void ntt8_up_block(zkr_v52 *x, size_t n, const zkr_ntt8_table *t) {
    if (n > NTT8_BLOCK) {
        for (size_t b = 0; b < 4; b++) ntt8_up_block(x + b * (n / 4), n / 4, t);
        ntt8_up_step(x, n, n / 4, t);
        return;
    }
    size_t m = 1;
    if (t->log_n % 2 != 0) {
        for (size_t j = 0; j < n; j += 2) ntt8_radix2(x + j, 1, t);
        m = 2;
    }
    for (; m < n; m *= 4) ntt8_up_step(x, n, m, t);
}

/* bit-reversed -> natural order; the input below 5.3 when the table is plain, else below 33 */
static void ntt8_up(zkr_v52 *x, const zkr_ntt8_table *t) { ntt8_up_block(x, (size_t)1 << t->log_n, t); }

/* ---- passes over memory ------------------------------------------------------------------------ */

static inline size_t ntt8_next_reversed(size_t reversed, size_t n) {
    size_t bit = n >> 1;
    while (reversed & bit) {
        reversed ^= bit;
        bit >>= 1;
    }
    return reversed | bit;
}

/* Eight neighbours times 2^shift, not reduced */
ZKR_V52_INLINE void ntt8_load(zkr_v52 *out, const zkr_fe *a, const int shift) {
    __m512i w[4];
    zkr_v52_load_words(w, a->l);
    zkr_v52_split(out, w, shift);
}

/* tidy, below 2^256 */
ZKR_V52_INLINE void ntt8_store(zkr_fe *out, const zkr_v52 *x) {
    __m512i w[4];
    zkr_v52_join(w, x);
    zkr_v52_store_words(out->l, w);
}

/* Asks for eight neighbours that are used soon. Rows are too far apart for the processor to foresee. */
ZKR_V52_INLINE void ntt8_prefetch(const zkr_fe *a) {
    for (int i = 0; i < 8; i += 2) __builtin_prefetch(a + i, 0, 2);
}

/* Rows between an element's prefetch and its use */
#define NTT8_AHEAD 8

/* The factors of the rows of eight columns: f = start ratio^k 2^260, stepped by a known factor. */
typedef struct {
    zkr_v52 f;
    ntt8_factors ratio;
} ntt8_twist;

static void ntt8_twist_begin(ntt8_twist *t, const zkr_ntt8_pass *pass, size_t c0) {
    zkr_fe starts[8];
    zkr_v52 x;
    for (size_t c = 0; c < 8; c++) starts[c] = pass->starts != NULL ? pass->starts[c0 + c] : pass->start;
    ntt8_load(&x, starts, 4);
    zkr_v52_reduce(&t->f, &x, &zkr_f52_fr);
    ntt8_load(&x, pass->ratios + c0, 4);
    ntt8_factors_of(&t->ratio, &x);
}

/* out = x f / 2^260, then f moves on. f < 10.01 and x < 33, so the product is below
 * 33 10.01 / 84.5 + 1 < 5, which 2^256, 5.28 r, holds. */
ZKR_V52_INLINE void ntt8_twist_step(zkr_v52 *out, const zkr_v52 *x, ntt8_twist *t) {
    zkr_v52_mul(out, x, &t->f, &zkr_f52_fr);
    ntt8_shoup_any(&t->f, &t->f, t->ratio.w, t->ratio.q, true);
    ntt8_tidy(&t->f);
}

/* Columns down, twist; stored in natural order and below 2^256, in place of the rows or transposed */
static void ntt8_down_twist_kernel(const zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer) {
    const size_t rows = (size_t)1 << pass->log_r, columns = (size_t)1 << pass->log_c;
    zkr_v52 *x = buffer;
    for (size_t group = begin; group < end; group++) {
        const zkr_fe *in = pass->in + 8 * group, *times = pass->times == NULL ? NULL : pass->times + 8 * group;
        for (size_t r = 0; r < rows; r++) {
            if (times == NULL) {
                if (r + NTT8_AHEAD < rows) ntt8_prefetch(in + (r + NTT8_AHEAD) * columns);
                ntt8_load(&x[r], in + r * columns, 0);
            } else {
                zkr_v52 a, b;
                ntt8_load(&a, in + r * columns, 4);
                ntt8_load(&b, times + r * columns, 0);
                zkr_v52_mul(&x[r], &a, &b, &zkr_f52_fr); /* 16 / 84.5 + 1 */
            }
        }
        ntt8_down(x, pass->first);
        ntt8_twist twist;
        ntt8_twist_begin(&twist, pass, 8 * group);
        for (size_t k = 0, reversed = 0; k < rows; k++, reversed = ntt8_next_reversed(reversed, rows)) {
            zkr_v52 t;
            if (!pass->transposed && k + NTT8_AHEAD < rows)
                ntt8_prefetch(pass->out + 8 * group + (k + NTT8_AHEAD) * columns);
            ntt8_twist_step(&t, &x[reversed], &twist);
            if (pass->transposed) {
                __m512i w[4];
                zkr_v52_join(w, &t);
                zkr_v52_store_words_strided(pass->out[8 * group * rows + k].l, 4 * rows, w);
            } else {
                ntt8_store(pass->out + 8 * group + k * columns, &t);
            }
        }
    }
}

/* Twist unless ratios is NULL, columns up, shift; rows in natural order, reduced */
static void ntt8_twist_up_kernel(const zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer) {
    const size_t rows = (size_t)1 << pass->log_r, columns = (size_t)1 << pass->log_c;
    zkr_v52 *x = buffer;
    for (size_t group = begin; group < end; group++) {
        const zkr_fe *in = pass->in + 8 * group;
        ntt8_twist twist;
        if (pass->ratios != NULL) ntt8_twist_begin(&twist, pass, 8 * group);
        for (size_t k = 0, reversed = 0; k < rows; k++, reversed = ntt8_next_reversed(reversed, rows)) {
            zkr_v52 t;
            if (k + NTT8_AHEAD < rows) ntt8_prefetch(in + (k + NTT8_AHEAD) * columns);
            ntt8_load(&t, in + k * columns, 0);
            if (pass->ratios != NULL) ntt8_twist_step(&t, &t, &twist);
            x[reversed] = t;
        }
        ntt8_up(x, pass->first);
        zkr_fe *out = pass->out + 8 * group;
        for (size_t r = 0; r < rows; r++) {
            zkr_v52 t = x[r], a;
            if (r + NTT8_AHEAD < rows) ntt8_prefetch(out + (r + NTT8_AHEAD) * columns);
            if (pass->shift != NULL) {
                ntt8_shoup(&t, &t, &pass->shift[r]);
                ntt8_tidy(&t);
            }
            if (pass->finish == ZKR_NTT8_MULTIPLY) {
                ntt8_load(&a, out + r * columns, 4);
                zkr_v52_mul(&t, &t, &a, &zkr_f52_fr); /* 33 16 / 84.5 + 1 */
            } else if (pass->finish == ZKR_NTT8_SUBTRACT) {
                ntt8_load(&a, out + r * columns, 0);
                ntt8_minus(&t, &a, &t, 33);
                ntt8_tidy(&t);
            }
            zkr_v52_canonical(&t, &t, &zkr_f52_fr);
            ntt8_store(out + r * columns, &t);
        }
    }
}

/* Rows down, then up by the second table, in place, below 2^256 */
static void ntt8_rows_both_kernel(const zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer) {
    const size_t columns = (size_t)1 << pass->log_c;
    zkr_v52 *x = buffer;
    __m512i w[4];
    for (size_t group = begin; group < end; group++) {
        const zkr_fe *in = pass->in + 8 * group * columns;
        zkr_fe *out = pass->out + 8 * group * columns;
        for (size_t c = 0; c < columns; c++) {
            zkr_v52_load_words_strided(w, in[c].l, 4 * columns);
            zkr_v52_split(&x[c], w, 0);
        }
        ntt8_down(x, pass->first);
        ntt8_up(x, pass->second);
        for (size_t c = 0; c < columns; c++) {
            zkr_v52 t;
            zkr_v52_reduce(&t, &x[c], &zkr_f52_fr);
            zkr_v52_join(w, &t);
            zkr_v52_store_words_strided(out[c].l, 4 * columns, w);
        }
    }
}
