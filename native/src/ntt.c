/* ntt.c: transforms of any size from two cache-sized passes.
 *
 * Up to 2^SMALL elements a single block does it. Above, n = R C and the vector is a matrix of R rows
 * and C columns (Bailey, "FFTs in external or hierarchical memory", 1990): transform the columns,
 * multiply entry (r, c) by w^(rc), transform the rows, write the result transposed, which leaves it in
 * natural order. Columns are taken GROUP at a time, so that memory is touched in runs of 256 bytes,
 * and so are rows; bits are reversed while loading.
 *
 * A coset costs nothing extra forward: the values at g w^i are column transforms at g^C w_R^i, whose
 * stages merely use odd powers, and a factor g^c, which joins the multiplication between the passes.
 * So does the division by n. Only the inverse on a coset multiplies once more.
 *
 * No array of n twiddles is stored: blocks share tables by size (at most 2^14 elements), and the
 * factors between the passes are stepped from w^c.
 */
#include "ntt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ifma_ntt.h"
#include "pages.h"
#include "threads.h"

#define SMALL 10
#define GROUP 8
#define MAX_BLOCK 14

enum { FORWARD, INVERSE, COSET, NUM_KINDS };

static _Atomic(zkr_fe *) tables[NUM_KINDS][MAX_BLOCK + 1];

void zkr_ntt_root(zkr_fe *w, unsigned log_n) {
    zkr_fe root = ZKR_LIMBS(FR_ROOT);
    for (unsigned i = log_n; i < FR_TWO_ADICITY; i++) fr_sqr(&root, &root);
    *w = root;
}

/* Twiddles of a block of 2^log_n: entry m + j is w_2m^j, its inverse, or w_4m^(2j+1). Made once and
 * kept; when two threads make the same table, one is dropped. */
static const zkr_fe *block_twiddles(const zkr_kernels *k, unsigned kind, unsigned log_n) {
    zkr_fe *have = atomic_load_explicit(&tables[kind][log_n], memory_order_acquire);
    if (have != NULL) return have;
    zkr_fe *made = malloc(((size_t)1 << log_n) * sizeof *made);
    if (made == NULL) return NULL;
    made[0] = fr_one;
    for (unsigned s = 0; s < log_n; s++) {
        zkr_fe w, start = fr_one;
        zkr_ntt_root(&w, s + 1);
        if (kind == INVERSE) fr_inv(&w, &w);
        if (kind == COSET) zkr_ntt_root(&start, s + 2);
        k->fr_powers(made + ((size_t)1 << s), &start, &w, (size_t)1 << s);
    }
    if (!atomic_compare_exchange_strong_explicit(&tables[kind][log_n], &have, made, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        free(made);
        return have;
    }
    return made;
}

/* The bit-reversed counter's successor below n. */
static inline size_t next_reversed(size_t reversed, size_t n) {
    size_t bit = n >> 1;
    while (reversed & bit) {
        reversed ^= bit;
        bit >>= 1;
    }
    return reversed | bit;
}

typedef struct {
    const zkr_kernels *k;
    const zkr_fe *in;
    zkr_fe *middle, *out, *buffers; /* one buffer a thread */
    size_t buffer_size;
    unsigned log_r, log_c;
    const zkr_fe *column_twiddles, *row_twiddles;
    bool column_plain;
    const zkr_fe *starts, *ratios; /* per column; starts may be NULL: then `start` for all */
    zkr_fe start;
    const zkr_fe *row_ratio; /* the factor between output rows, or NULL for none */
} ntt_job;

static void column_pass(void *context, size_t begin, size_t end, unsigned worker) {
    const ntt_job *j = context;
    const size_t rows = (size_t)1 << j->log_r, columns = (size_t)1 << j->log_c;
    zkr_fe *buffer = j->buffers + worker * j->buffer_size;
    for (size_t group = begin; group < end; group++) {
        const size_t c0 = group * GROUP;
        for (size_t r = 0, reversed = 0; r < rows; r++, reversed = next_reversed(reversed, rows))
            memcpy(buffer + reversed * GROUP, j->in + r * columns + c0, GROUP * sizeof(zkr_fe));
        j->k->ntt_block(buffer, j->log_r, GROUP, j->column_twiddles, j->column_plain);
        zkr_fe factors[GROUP];
        for (size_t c = 0; c < GROUP; c++) factors[c] = j->starts != NULL ? j->starts[c0 + c] : j->start;
        j->k->ntt_twist(buffer, rows, GROUP, factors, j->ratios + c0);
        for (size_t r = 0; r < rows; r++)
            memcpy(j->middle + r * columns + c0, buffer + r * GROUP, GROUP * sizeof(zkr_fe));
    }
}

static void row_pass(void *context, size_t begin, size_t end, unsigned worker) {
    const ntt_job *j = context;
    const size_t rows = (size_t)1 << j->log_r, columns = (size_t)1 << j->log_c;
    zkr_fe *buffer = j->buffers + worker * j->buffer_size;
    for (size_t group = begin; group < end; group++) {
        const zkr_fe *from = j->middle + group * GROUP * columns;
        for (size_t c = 0, reversed = 0; c < columns; c++, reversed = next_reversed(reversed, columns))
            for (size_t r = 0; r < GROUP; r++) buffer[reversed * GROUP + r] = from[r * columns + c];
        j->k->ntt_block(buffer, j->log_c, GROUP, j->row_twiddles, true);
        if (j->row_ratio != NULL) {
            zkr_fe factors[GROUP], ratios[GROUP];
            for (size_t r = 0; r < GROUP; r++) {
                factors[r] = fr_one;
                ratios[r] = *j->row_ratio;
            }
            j->k->ntt_twist(buffer, columns, GROUP, factors, ratios);
        }
        for (size_t c = 0; c < columns; c++)
            memcpy(j->out + c * rows + group * GROUP, buffer + c * GROUP, GROUP * sizeof(zkr_fe));
    }
}

/* One block. scratch holds n elements. */
static int small(const zkr_kernels *k, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool inverse, bool coset,
                 zkr_fe *scratch) {
    const size_t n = (size_t)1 << log_n;
    const zkr_fe *twiddles = block_twiddles(k, inverse ? INVERSE : coset ? COSET : FORWARD, log_n);
    if (twiddles == NULL) return ZKR_NOMEM;
    for (size_t i = 0, reversed = 0; i < n; i++, reversed = next_reversed(reversed, n)) scratch[reversed] = a[i];
    k->ntt_block(scratch, log_n, 1, twiddles, inverse || !coset);
    if (inverse) {
        zkr_fe factor, ratio = fr_one;
        fr_from_u64(&factor, n);
        fr_inv(&factor, &factor);
        if (coset) {
            zkr_ntt_root(&ratio, log_n + 1);
            fr_inv(&ratio, &ratio);
        }
        k->ntt_twist(scratch, n, 1, &factor, &ratio);
    }
    memcpy(out, scratch, n * sizeof(zkr_fe));
    return ZKR_OK;
}

static int large(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool inverse, bool coset,
                 zkr_fe *scratch) {
    const zkr_kernels *k = engine->k;
    ntt_job j = {.k = k, .in = a, .middle = scratch, .out = out, .log_r = log_n / 2, .log_c = log_n - log_n / 2};
    const size_t rows = (size_t)1 << j.log_r, columns = (size_t)1 << j.log_c;
    j.buffer_size = columns * GROUP;
    j.buffers = aligned_alloc(64, (engine->threads * j.buffer_size + 2 * columns) * sizeof(zkr_fe));
    if (j.buffers == NULL) return ZKR_NOMEM;
    zkr_fe *starts = j.buffers + engine->threads * j.buffer_size, *ratios = starts + columns;
    j.column_twiddles = block_twiddles(k, inverse ? INVERSE : coset ? COSET : FORWARD, j.log_r);
    j.row_twiddles = block_twiddles(k, inverse ? INVERSE : FORWARD, j.log_c);
    if (j.column_twiddles == NULL || j.row_twiddles == NULL) {
        free(j.buffers);
        return ZKR_NOMEM;
    }
    j.column_plain = inverse || !coset;
    zkr_fe w, g = fr_one, row_ratio;
    zkr_ntt_root(&w, log_n);
    if (coset) zkr_ntt_root(&g, log_n + 1);
    j.start = fr_one;
    if (inverse) {
        fr_inv(&w, &w);
        fr_inv(&g, &g);
        fr_from_u64(&j.start, (uint64_t)1 << log_n);
        fr_inv(&j.start, &j.start);
        k->fr_powers(ratios, &g, &w, columns); /* g^-1 w^-c; g is 1 off the coset */
        if (coset) {
            row_ratio = g;
            for (unsigned i = 0; i < j.log_r; i++) fr_sqr(&row_ratio, &row_ratio);
            j.row_ratio = &row_ratio;
        }
    } else {
        k->fr_powers(ratios, &fr_one, &w, columns);
        if (coset) {
            k->fr_powers(starts, &fr_one, &g, columns);
            j.starts = starts;
        }
    }
    j.ratios = ratios;
    zkr_parallel_for(engine->threads, columns / GROUP, 1, column_pass, &j);
    zkr_parallel_for(engine->threads, rows / GROUP, 1, row_pass, &j);
    free(j.buffers);
    return ZKR_OK;
}

static int run(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool inverse, bool coset,
               zkr_fe *scratch) {
    /* the coset's generator is a root of order 2n */
    if (log_n > FR_TWO_ADICITY || (coset && log_n == FR_TWO_ADICITY)) return ZKR_BADARGS;
    const bool eight = engine->k->ntt8_down_twist != NULL && log_n >= ZKR_NTT8_LEAST;
    zkr_fe *own = NULL;
    if (eight && out != a) scratch = out; /* enough for these */
    if (scratch == NULL) {
        own = zkr_pages_alloc((size_t)sizeof(zkr_fe) << log_n);
        if (own == NULL) return ZKR_NOMEM;
        scratch = own;
    }
    int status;
    if (eight)
        status = zkr_ntt8_transform(engine, out, a, log_n, inverse, coset, scratch);
    else if (log_n <= SMALL)
        status = small(engine->k, out, a, log_n, inverse, coset, scratch);
    else
        status = large(engine, out, a, log_n, inverse, coset, scratch);
    free(own);
    return status;
}

int zkr_ntt_forward(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool coset,
                    zkr_fe *scratch) {
    return run(engine, out, a, log_n, false, coset, scratch);
}

int zkr_ntt_inverse(const zkr_engine *engine, zkr_fe *out, const zkr_fe *a, unsigned log_n, bool coset,
                    zkr_fe *scratch) {
    return run(engine, out, a, log_n, true, coset, scratch);
}

/* ---- ABI ---- */

static int checked(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, uint32_t flags, bool inverse,
                   size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (engine == NULL || out == NULL || a == NULL || (flags & ~(uint32_t)ZKR_NTT_COSET) != 0) return ZKR_BADARGS;
    const size_t limit = (size_t)1 << (FR_TWO_ADICITY - ((flags & ZKR_NTT_COSET) != 0));
    if (n == 0 || (n & (n - 1)) != 0 || n > limit) return ZKR_BADARGS;
    unsigned log_n = 0;
    while ((size_t)1 << log_n < n) log_n++;
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)a, n);
    if (at != ZKR_ALL_CANONICAL) {
        if (bad != NULL) *bad = at;
        return ZKR_NOTCANONICAL;
    }
    return run(engine, (zkr_fe *)out, (const zkr_fe *)a, log_n, inverse, (flags & ZKR_NTT_COSET) != 0, NULL);
}

int zkr_fr_ntt(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, uint32_t flags, size_t *bad) {
    return checked(engine, out, a, n, flags, false, bad);
}

int zkr_fr_intt(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, uint32_t flags, size_t *bad) {
    return checked(engine, out, a, n, flags, true, bad);
}
