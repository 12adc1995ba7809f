/* ifma_ntt.c: the driver of the eight-lane transforms: tables, passes and threads. Compiled for any
 * machine; the kernels come from the table of kernels. Must not know Groth16's keys.
 *
 * n = R C as in ntt.c, R and C near the root of n, so that a pass streams memory once and eight of its
 * columns fit in the cache. With input k = k1 + R k2 and output i = r C + c:
 *   transform  down over k2; twist (c, k1); stored as R rows of C; | up over k1, in place: two passes.
 *   quotient   (inverse) down over r, twist (c, k1), in place; | rows: down over c by the inverse table,
 *              which leaves the coefficients a[k1 + R k2] in bit-reversed order, and up over k2 by
 *              the coset's; | twist, up over k1: three passes for an inverse transform and one on
 *              the coset, with no permutation. C's first pass makes its values from A's and B's,
 *              and the last passes leave A B - C: no pass merely multiplies.
 *
 * Work, in multiply-adds of eight lanes: a product by a known factor takes 75; of the n/2 log n butterflies,
 * 2n have the factor 1, which leaves 8n for n = 2^20; the twist takes n products of 100 and n of 75 that
 * step its factor. That is 775 a vector of eight, 1.0e8 for n = 2^20. The quotient: 4n, 4n + 5n (on the coset no
 * factor is 1), 4n products and two twists, 1625 a vector, three times, and two products: 6.6e8.
 * Memory: 64 n bytes a pass, and 32 n more where out was not in the cache: 160 n a transform.
 */
#include "ifma_ntt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ifma_split.h"
#include "ntt.h"
#include "threads.h"

enum { DOWN, DOWN_INVERSE, DOWN_COSET, UP, UP_INVERSE, UP_COSET, NUM_KINDS };

static _Atomic(void *) tables[NUM_KINDS][ZKR_NTT8_MAX_BLOCK + 1];
static _Atomic(void *) shifts[ZKR_NTT8_MAX_BLOCK + 1];

static void make_factor(zkr_ntt8_factor *out, const zkr_fe *w) {
    const uint64_t mask = 0xfffffffffffffULL;
    zkr_fe integer;
    uint64_t rest[5];
    fr_from_mont(&integer, w);
    zkr_split52(out->w, integer.l);
    zkr_fr_split52_mont(rest, w); /* 2^260 w = r wq + rest, so wq = -rest / r modulo 2^260 */
    zkr_u128 carry = 0;
    for (int k = 0; k < 5; k++) { /* five products below 2^104 and a carry */
        for (int i = 0; i <= k; i++) carry += (zkr_u128)rest[i] * zkr_ntt8_minus_inverse[k - i];
        out->q[k] = (uint64_t)carry & mask;
        carry >>= 52;
    }
}

static size_t reverse_bits(size_t x, unsigned bits) {
    size_t reversed = 0;
    for (unsigned i = 0; i < bits; i++) reversed |= ((x >> i) & 1) << (bits - 1 - i);
    return reversed;
}

/* The powers of a root of order 2n, or of its inverse; NULL when there is no memory */
static zkr_fe *powers_of_root(const zkr_kernels *k, unsigned log_n, bool inverse) {
    zkr_fe root, *powers = malloc(((size_t)2 << log_n) * sizeof *powers);
    if (powers == NULL) return NULL;
    zkr_ntt_root(&root, log_n + 1);
    if (inverse) fr_inv_vartime(&root, &root);
    k->fr_powers(powers, &fr_one, &root, (size_t)2 << log_n);
    return powers;
}

/* What `slot` holds, or `made` when it is empty; then the other is dropped. */
static void *keep(_Atomic(void *) *slot, void *made) {
    void *have = NULL;
    const bool first =
        atomic_compare_exchange_strong_explicit(slot, &have, made, memory_order_acq_rel, memory_order_acquire);
    if (!first) free(made);
    return first ? made : have;
}

/* With e the exponent of a node's z to the base of a root of order 2n. Down, the k-th of 2^s blocks is
 * modulo X^(n / 2^s) - v, where v = root^(2n E) and E has the bits of k reversed behind the point, plus
 * 2^-(s+1) on the coset; its z is v's fourth root in X^(n/2^s / 4): e = n E / 2. Up, z is w_4m^j or, on the
 * coset, w_8m^(2j+1). */
static const zkr_ntt8_table *table_of(const zkr_kernels *k, unsigned kind, unsigned log_n) {
    zkr_ntt8_table *made = atomic_load_explicit(&tables[kind][log_n], memory_order_acquire);
    if (made != NULL) return made;
    const size_t n = (size_t)1 << log_n;
    zkr_fe *powers = powers_of_root(k, log_n, kind == DOWN_INVERSE || kind == UP_INVERSE);
    made = malloc(sizeof *made + n / 3 * sizeof made->nodes[0]);
    if (powers == NULL || made == NULL) {
        free(powers);
        free(made);
        return NULL;
    }
    const bool coset = kind == DOWN_COSET || kind == UP_COSET, down = kind <= DOWN_COSET;
    made->log_n = log_n;
    made->plain = !coset;
    make_factor(&made->quarter, &powers[n / 2]);
    zkr_ntt8_factor(*node)[3] = made->nodes;
    for (unsigned s = log_n % 2; s < log_n; s += 2) {
        for (size_t j = 0; j < (size_t)1 << s; j++, node++) {
            /* in units of n / 2^(s+2) */
            const size_t units = 2 * (down ? reverse_bits(j, s) : j) + coset;
            for (size_t power = 1; power <= 3; power++)
                make_factor(&(*node)[power - 1], &powers[power * units * (n >> (s + 2))]);
        }
    }
    free(powers);
    return keep(&tables[kind][log_n], made);
}

/* root^-k for k < n, where the root has order 2n */
static const zkr_ntt8_factor *shift_of(const zkr_kernels *k, unsigned log_n) {
    zkr_ntt8_factor *made = atomic_load_explicit(&shifts[log_n], memory_order_acquire);
    if (made != NULL) return made;
    const size_t n = (size_t)1 << log_n;
    zkr_fe *powers = powers_of_root(k, log_n, true);
    made = malloc(n * sizeof *made);
    if (powers == NULL || made == NULL) {
        free(powers);
        free(made);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) make_factor(&made[i], &powers[i]);
    free(powers);
    return keep(&shifts[log_n], made);
}

typedef void (*kernel)(const zkr_ntt8_pass *pass, size_t begin, size_t end, void *buffer);

typedef struct {
    kernel run;
    const zkr_ntt8_pass *pass;
    unsigned char *buffers;
    size_t buffer_size;
} pass_job;

static void run_groups(void *context, size_t begin, size_t end, unsigned worker) {
    const pass_job *j = context;
    j->run(j->pass, begin, end, j->buffers + worker * j->buffer_size);
}

/* Memory of one call: a buffer a thread, and two vectors of C factors. */
typedef struct {
    unsigned log_r, log_c, threads;
    unsigned char *buffers;
    size_t buffer_size;
    zkr_fe *starts, *ratios;
} workspace;

static bool take(workspace *w, const zkr_engine *engine, unsigned log_n) {
    w->log_r = log_n / 2;
    w->log_c = log_n - log_n / 2;
    w->threads = engine->threads;
    const size_t columns = (size_t)1 << w->log_c;
    /* the last bytes keep the buffers of two threads off one another's sets */
    w->buffer_size = columns * ZKR_NTT8_ELEMENT + 64;
    w->buffers = aligned_alloc(64, w->threads * w->buffer_size + 2 * columns * sizeof(zkr_fe));
    if (w->buffers == NULL) return false;
    w->starts = (zkr_fe *)(void *)(w->buffers + w->threads * w->buffer_size);
    w->ratios = w->starts + columns;
    return true;
}

static void run_pass(const workspace *w, kernel run, const zkr_ntt8_pass *pass, size_t groups) {
    pass_job j = {.run = run, .pass = pass, .buffers = w->buffers, .buffer_size = w->buffer_size};
    zkr_parallel_for(w->threads, groups, 1, run_groups, &j);
}

static void inverse_of_size(zkr_fe *out, unsigned log_n) {
    fr_from_u64(out, (uint64_t)1 << log_n);
    fr_inv_vartime(out, out);
}

int zkr_ntt8_transform(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool inverse,
                       bool coset, zkr_fe *middle) {
    const zkr_kernels *k = engine->k;
    workspace w;
    if (!take(&w, engine, log_n)) return ZKR_NOMEM;
    const size_t rows = (size_t)1 << w.log_r, columns = (size_t)1 << w.log_c;
    zkr_ntt8_pass down = {.log_r = w.log_c, .log_c = w.log_r, .in = a, .out = middle, .transposed = true};
    zkr_ntt8_pass up = {.log_r = w.log_r, .log_c = w.log_c, .in = middle, .out = out};
    down.first = table_of(k, inverse ? DOWN_INVERSE : coset ? DOWN_COSET : DOWN, w.log_c);
    up.first = table_of(k, inverse ? UP_INVERSE : UP, w.log_r);
    up.shift = inverse && coset ? shift_of(k, w.log_r) : NULL;
    if (down.first == NULL || up.first == NULL || (inverse && coset && up.shift == NULL)) {
        free(w.buffers);
        return ZKR_NOMEM;
    }
    zkr_fe root, g = fr_one;
    zkr_ntt_root(&root, log_n);
    if (coset) zkr_ntt_root(&g, log_n + 1);
    down.start = fr_one;
    down.ratios = w.ratios;
    if (inverse) { /* w^(-c k1) / n, and g^-c on the coset; g^(-r C) is the shift */
        fr_inv_vartime(&root, &root);
        fr_inv_vartime(&g, &g);
        inverse_of_size(&down.start, log_n);
        k->fr_powers(w.ratios, &g, &root, rows);
    } else { /* w^(c k1), and g^k1 on the coset, whose table knows g^(R k2) */
        k->fr_powers(w.ratios, &fr_one, &root, rows);
        if (coset) {
            k->fr_powers(w.starts, &fr_one, &g, rows);
            down.starts = w.starts;
        }
    }
    run_pass(&w, k->ntt8_down_twist, &down, rows / 8);
    run_pass(&w, k->ntt8_twist_up, &up, columns / 8);
    free(w.buffers);
    return ZKR_OK;
}

int zkr_ntt8_quotient(const zkr_engine *engine, zkr_fe *a, zkr_fe *b, zkr_fe *c, unsigned log_n) {
    const zkr_kernels *k = engine->k;
    workspace w;
    if (!take(&w, engine, log_n)) return ZKR_NOMEM;
    const size_t rows = (size_t)1 << w.log_r, columns = (size_t)1 << w.log_c;
    const zkr_ntt8_table *columns_down = table_of(k, DOWN_INVERSE, w.log_r), *columns_up = table_of(k, UP, w.log_r);
    const zkr_ntt8_table *rows_down = table_of(k, DOWN_INVERSE, w.log_c), *rows_up = table_of(k, UP_COSET, w.log_c);
    if (columns_down == NULL || rows_down == NULL || rows_up == NULL || columns_up == NULL) {
        free(w.buffers);
        return ZKR_NOMEM;
    }
    zkr_fe root, back, g, *const up_ratios = w.starts;
    zkr_ntt_root(&root, log_n);
    zkr_ntt_root(&g, log_n + 1);
    fr_inv_vartime(&back, &root);
    k->fr_powers(w.ratios, &fr_one, &back, columns);
    k->fr_powers(up_ratios, &g, &root, columns); /* (g w^c)^k1; the coset's table knows g^(R k2) */
    const zkr_ntt8_pass base = {.log_r = w.log_r, .log_c = w.log_c};
    zkr_ntt8_pass down = base, both = base, up = base;
    down.first = columns_down;
    down.ratios = w.ratios;
    inverse_of_size(&down.start, log_n);
    both.first = rows_down;
    both.second = rows_up;
    up.first = columns_up;
    up.ratios = up_ratios;
    up.start = fr_one;

    /* c first, for it is made from a and b; a last, for it takes the others' values at once */
    zkr_fe *const vectors[3] = {c, a, b};
    for (int i = 0; i < 3; i++) {
        zkr_fe *const v = vectors[i];
        down.in = v == c ? a : v;
        down.times = v == c ? b : NULL;
        down.out = v;
        run_pass(&w, k->ntt8_down_twist, &down, columns / 8);
        both.in = both.out = v;
        run_pass(&w, k->ntt8_rows_both, &both, rows / 8);
    }
    const struct {
        const zkr_fe *in;
        int finish;
    } ends[3] = {{a, ZKR_NTT8_STORE}, {b, ZKR_NTT8_MULTIPLY}, {c, ZKR_NTT8_SUBTRACT}};
    for (int i = 0; i < 3; i++) {
        up.in = ends[i].in;
        up.out = a;
        up.finish = ends[i].finish;
        run_pass(&w, k->ntt8_twist_up, &up, columns / 8);
    }
    free(w.buffers);
    return ZKR_OK;
}
