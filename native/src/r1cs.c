/* r1cs.c: uniform R1CS, template matrices times instances. Every size and index is checked here, once
 * a call, before any kernel follows one. */
#include "r1cs.h"

#include <stdlib.h>
#include <string.h>

#include "threads.h"

/* Rows a thread takes at a time; three slices of elements fit the first-level cache. */
#define ROWS 256

/* Sizes above this cannot come from 32-bit indices, and products of two of them fit 64 bits. */
#define MOST UINT32_MAX

/* ---- checks --------------------------------------------------------------------------------- */

static int fault_at(zkr_layout_fault *fault, uint32_t kind, size_t block, uint32_t matrix, size_t index) {
    if (fault != NULL) {
        fault->kind = kind;
        fault->block = block;
        fault->matrix = matrix;
        fault->index = index;
    }
    return ZKR_BADARGS;
}

static int check_matrix(zkr_layout_fault *fault, const zkr_block *b, size_t at, uint32_t which) {
    const zkr_matrix *m = zkr_block_matrix(b, (int)which);
    const uint64_t columns = b->num_links + b->num_own;
    if (m->indptr == NULL || m->num_indptr != b->num_rows + 1 || m->num_entries > MOST)
        return fault_at(fault, ZKR_FAULT_INDPTR, at, which, 0);
    if (m->num_entries > 0 && (m->cols == NULL || m->coefs == NULL))
        return fault_at(fault, ZKR_FAULT_INDPTR, at, which, 0);
    if (m->indptr[0] != 0) return fault_at(fault, ZKR_FAULT_INDPTR, at, which, 0);
    for (size_t row = 0; row < b->num_rows; row++)
        if (m->indptr[row + 1] < m->indptr[row]) return fault_at(fault, ZKR_FAULT_INDPTR, at, which, row + 1);
    if (m->indptr[b->num_rows] != m->num_entries) return fault_at(fault, ZKR_FAULT_INDPTR, at, which, b->num_rows);
    for (size_t k = 0; k < m->num_entries; k++) {
        if (m->cols[k] >= columns) return fault_at(fault, ZKR_FAULT_COLUMN, at, which, k);
        if (m->coefs[k] >= b->num_constants) return fault_at(fault, ZKR_FAULT_COEF, at, which, k);
    }
    return ZKR_OK;
}

static int check_block(zkr_layout_fault *fault, const zkr_layout *layout, size_t at, uint64_t *column,
                       uint64_t *row) {
    const zkr_block *b = &layout->blocks[at];
    if (b->num_rows > MOST || b->num_links < 1 || b->num_links > MOST || b->num_own > MOST || b->instances > MOST ||
        b->num_links + b->num_own > MOST)
        return fault_at(fault, ZKR_FAULT_SIZE, at, 0, 0);
    if (b->own_base < *column || b->own_base > layout->num_columns ||
        b->instances * b->num_own > layout->num_columns - b->own_base)
        return fault_at(fault, ZKR_FAULT_OWN_BASE, at, 0, 0);
    if (b->row_base < *row || b->row_base > layout->num_rows ||
        b->instances * b->num_rows > layout->num_rows - b->row_base)
        return fault_at(fault, ZKR_FAULT_ROW_BASE, at, 0, 0);
    *column = b->own_base + b->instances * b->num_own;
    *row = b->row_base + b->instances * b->num_rows;
    if (b->constants == NULL || b->num_constants < 3) return fault_at(fault, ZKR_FAULT_CONSTANTS, at, 0, 0);
    const zkr_fe *constants = (const zkr_fe *)b->constants;
    zkr_fe minus_one;
    fr_neg(&minus_one, &fr_one);
    if (!fr_is_zero(&constants[0]) || !fr_eq(&constants[1], &fr_one) || !fr_eq(&constants[2], &minus_one))
        return fault_at(fault, ZKR_FAULT_CONSTANTS, at, 0, 0);
    const uint64_t links = b->instances * b->num_links;
    if (links > 0 && b->links == NULL) return fault_at(fault, ZKR_FAULT_LINK, at, 0, 0);
    for (size_t k = 0; k < links; k++)
        if (b->links[k] >= layout->num_columns || (k % b->num_links == 0 && b->links[k] != 0))
            return fault_at(fault, ZKR_FAULT_LINK, at, 0, k);
    for (uint32_t m = 0; m < 3; m++) {
        const int status = check_matrix(fault, b, at, m);
        if (status != ZKR_OK) return status;
    }
    return ZKR_OK;
}

int zkr_layout_check(const zkr_layout *layout, zkr_layout_fault *fault) {
    if (fault != NULL) memset(fault, 0, sizeof *fault);
    if (layout == NULL || (layout->num_blocks > 0 && layout->blocks == NULL)) return ZKR_BADARGS;
    if (layout->num_columns > MOST || layout->num_rows > MOST || layout->num_public >= layout->num_columns)
        return fault_at(fault, ZKR_FAULT_COLUMNS, 0, 0, 0);
    uint64_t column = layout->num_public + 1, row = 0;
    for (size_t at = 0; at < layout->num_blocks; at++) {
        const int status = check_block(fault, layout, at, &column, &row);
        if (status != ZKR_OK) return status;
    }
    return ZKR_OK;
}

int zkr_r1cs_check(const zkr_layout *layout, size_t num_witness) {
    const int status = zkr_layout_check(layout, NULL);
    if (status != ZKR_OK) return status;
    return layout->num_columns == num_witness ? ZKR_OK : ZKR_BADARGS;
}

int zkr_r1cs_check_values(const zkr_engine *engine, const zkr_layout *layout, const zkr_fe *witness, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    for (size_t at = 0; at < layout->num_blocks; at++) {
        const zkr_block *b = &layout->blocks[at];
        const size_t constant =
            zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)b->constants, b->num_constants);
        if (constant != ZKR_ALL_CANONICAL) return ZKR_NOTCANONICAL;
    }
    if (witness == NULL) return ZKR_OK;
    const size_t element = zkr_find_noncanonical(engine, &engine->k->fr, witness, layout->num_columns);
    if (element == ZKR_ALL_CANONICAL) return ZKR_OK;
    if (bad != NULL) *bad = element;
    return ZKR_NOTCANONICAL;
}

/* ---- products ------------------------------------------------------------------------------- */

/* A block times the witness, by one of two ways over slices of rows: instance by instance, or, where
 * the path has such kernels and there are enough instances, eight instances at a time. */
typedef struct {
    const zkr_kernels *k;
    const zkr_block *block;
    const zkr_fe *witness;
    zkr_fe *out[3];    /* where not NULL: products */
    uint8_t *violated; /* where not NULL: one byte a row */
    size_t slices;     /* of one instance */
    /* eight at a time: */
    size_t instance;      /* the first */
    uint64_t *columns;    /* their values, ZKR_COLUMN8 words a local column */
    uint64_t (*coefs)[5]; /* the block's constants */
} rows_job;

static zkr_sparse sparse_of(const zkr_block *b, int m) {
    const zkr_matrix *matrix = zkr_block_matrix(b, m);
    return (zkr_sparse){matrix->indptr, matrix->cols, matrix->coefs, (const zkr_fe *)b->constants};
}

/* violated[i] = a[i] b[i] != c[i]; a is overwritten */
static void compare(const zkr_kernels *k, uint8_t *violated, zkr_fe *a, const zkr_fe *b, const zkr_fe *c, size_t n) {
    k->fr.mul(a, a, b, n);
    for (size_t i = 0; i < n; i++) violated[i] = !fr_eq(&a[i], &c[i]);
}

static void slices_one(void *context, size_t from, size_t to, unsigned worker) {
    (void)worker;
    const rows_job *j = context;
    const zkr_block *b = j->block;
    zkr_fe product[3][ROWS];
    for (size_t at = from; at < to; at++) {
        const size_t instance = at / j->slices, begin = at % j->slices * ROWS;
        const size_t n = b->num_rows - begin < ROWS ? b->num_rows - begin : ROWS;
        const size_t row = b->row_base + instance * b->num_rows + begin;
        const zkr_gather gather = {.global = j->witness,
                                   .own = j->witness + b->own_base + instance * b->num_own,
                                   .links = b->links + instance * b->num_links,
                                   .num_links = (uint32_t)b->num_links};
        for (int m = 0; m < 3; m++) {
            if (j->violated == NULL && j->out[m] == NULL) continue;
            const zkr_sparse sparse = sparse_of(b, m);
            zkr_fe *const out = j->violated != NULL ? product[m] : j->out[m] + row;
            j->k->sparse_rows(out, &sparse, &gather, begin, begin + n);
        }
        if (j->violated != NULL) compare(j->k, j->violated + row, product[0], product[1], product[2], n);
    }
}

/* Rows of a slice when eight instances are compared: 3 * 8 * 32 elements on the stack. */
#define ROWS8 32

static void load_eight(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const rows_job *j = context;
    const zkr_block *b = j->block;
    const zkr_fe *own = j->witness + b->own_base + j->instance * b->num_own;
    j->k->sparse_load8(j->columns + ZKR_COLUMN8 * b->num_links, own, b->num_own, begin, end);
}

static void slices_eight(void *context, size_t from, size_t to, unsigned worker) {
    (void)worker;
    const rows_job *j = context;
    const zkr_block *b = j->block;
    zkr_fe product[3][8 * ROWS8];
    for (size_t at = from; at < to; at++) {
        const size_t begin = at * ROWS8, n = b->num_rows - begin < ROWS8 ? b->num_rows - begin : ROWS8;
        const size_t row = b->row_base + j->instance * b->num_rows + begin;
        for (int m = 0; m < 3; m++) {
            if (j->violated == NULL && j->out[m] == NULL) continue;
            const zkr_sparse sparse = sparse_of(b, m);
            zkr_fe *const out = j->violated != NULL ? product[m] : j->out[m] + row;
            const size_t stride = j->violated != NULL ? n : b->num_rows;
            j->k->sparse_rows8(out, stride, &sparse, (const uint64_t(*)[5])j->coefs, j->columns, begin, begin + n);
        }
        if (j->violated == NULL) continue;
        for (size_t lane = 0; lane < 8; lane++)
            compare(j->k, j->violated + row + lane * b->num_rows, product[0] + lane * n, product[1] + lane * n,
                    product[2] + lane * n, n);
    }
}

/* 16 c mod r in limbs of 52 bits */
static void coefficient(uint64_t out[5], const zkr_fe *c) {
    const uint64_t mask = ((uint64_t)1 << 52) - 1;
    zkr_fe t = *c;
    for (int i = 0; i < 4; i++) fr_dbl(&t, &t);
    out[0] = t.l[0] & mask;
    out[1] = (t.l[0] >> 52 | t.l[1] << 12) & mask;
    out[2] = (t.l[1] >> 40 | t.l[2] << 24) & mask;
    out[3] = (t.l[2] >> 28 | t.l[3] << 36) & mask;
    out[4] = t.l[3] >> 16;
}

/* False when there was no memory: the caller has another way. */
static bool multiply_eight(const zkr_engine *engine, rows_job *j) {
    const zkr_block *const b = j->block;
    const size_t num_links = b->num_links, columns = num_links + b->num_own, threads = engine->threads;
    zkr_fe *const links = malloc(8 * num_links * sizeof *links);
    j->columns = aligned_alloc(64, columns * ZKR_COLUMN8 * sizeof *j->columns);
    j->coefs = malloc(b->num_constants * sizeof *j->coefs);
    const bool have = links != NULL && j->columns != NULL && j->coefs != NULL;
    if (have) {
        for (size_t k = 0; k < b->num_constants; k++) coefficient(j->coefs[k], (const zkr_fe *)b->constants + k);
        for (size_t done = 0; done < b->instances; done += 8) {
            /* the last eight may repeat some instances */
            j->instance = b->instances - done < 8 ? b->instances - 8 : done;
            for (size_t k = 0; k < 8 * num_links; k++) links[k] = j->witness[b->links[j->instance * num_links + k]];
            j->k->sparse_load8(j->columns, links, num_links, 0, num_links);
            zkr_parallel_for(engine->threads, b->num_own, zkr_grain(engine->threads, b->num_own, 4, 512), load_eight, j);
            const size_t slices = (b->num_rows + ROWS8 - 1) / ROWS8;
            zkr_parallel_for(engine->threads, slices, zkr_grain(engine->threads, slices, threads > 1 ? 16 : 1, 1),
                             slices_eight, j);
        }
    }
    free(links);
    free(j->columns);
    free(j->coefs);
    return have;
}

static void for_each_block(const zkr_engine *engine, const zkr_layout *layout, rows_job *j) {
    for (size_t at = 0; at < layout->num_blocks; at++) {
        j->block = &layout->blocks[at];
        if (engine->k->sparse_rows8 != NULL && j->block->instances >= 8 && multiply_eight(engine, j)) continue;
        j->slices = (j->block->num_rows + ROWS - 1) / ROWS;
        const size_t n = j->slices * j->block->instances;
        zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 16, 1), slices_one, j);
    }
}

void zkr_r1cs_multiply(const zkr_engine *engine, zkr_fe *const out[3], const zkr_layout *layout,
                       const zkr_fe *witness) {
    rows_job j = {.k = engine->k, .witness = witness, .out = {out[0], out[1], out[2]}};
    uint64_t row = 0;
    for (size_t at = 0; at <= layout->num_blocks; at++) { /* the gaps before, between and after blocks */
        const zkr_block *b = at < layout->num_blocks ? &layout->blocks[at] : NULL;
        const uint64_t next = b != NULL ? b->row_base : layout->num_rows;
        for (int m = 0; m < 3; m++)
            if (out[m] != NULL && next > row) memset(out[m] + row, 0, (next - row) * sizeof(zkr_fe));
        if (b != NULL) row = b->row_base + b->instances * b->num_rows;
    }
    for_each_block(engine, layout, &j);
}

/* ---- ABI ------------------------------------------------------------------------------------ */

int zkr_r1cs_products(const zkr_engine *engine, uint64_t *a, uint64_t *b, uint64_t *c, const zkr_layout *layout,
                      const uint64_t *witness, size_t num_witness, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (engine == NULL || witness == NULL) return ZKR_BADARGS;
    int status = zkr_r1cs_check(layout, num_witness);
    if (status != ZKR_OK) return status;
    if (layout->num_rows > 0 && (a == NULL || b == NULL || c == NULL)) return ZKR_BADARGS;
    status = zkr_r1cs_check_values(engine, layout, (const zkr_fe *)witness, bad);
    if (status != ZKR_OK) return status;
    zkr_fe *const out[3] = {(zkr_fe *)a, (zkr_fe *)b, (zkr_fe *)c};
    zkr_r1cs_multiply(engine, out, layout, (const zkr_fe *)witness);
    return ZKR_OK;
}

int zkr_r1cs_violations(const zkr_engine *engine, uint8_t *violated, const zkr_layout *layout,
                        const uint64_t *witness, size_t num_witness, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (engine == NULL || witness == NULL) return ZKR_BADARGS;
    int status = zkr_r1cs_check(layout, num_witness);
    if (status != ZKR_OK) return status;
    if (layout->num_rows > 0 && violated == NULL) return ZKR_BADARGS;
    status = zkr_r1cs_check_values(engine, layout, (const zkr_fe *)witness, bad);
    if (status != ZKR_OK) return status;
    if (layout->num_rows > 0) memset(violated, 0, layout->num_rows);
    rows_job j = {.k = engine->k, .witness = (const zkr_fe *)witness, .violated = violated};
    for_each_block(engine, layout, &j);
    return ZKR_OK;
}
