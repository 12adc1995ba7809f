/* r1cs.c: uniform R1CS, template matrices times instances. Every size and index is checked here, once
 * a call, before any kernel follows one. */
#include "r1cs.h"

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

typedef struct {
    const zkr_kernels *k;
    const zkr_block *block;
    const zkr_fe *witness;
    zkr_fe *out[3];
    uint8_t *violated;
    size_t slices; /* of one instance */
} rows_job;

/* Slice `at` of the block: rows begin .. end-1 of one instance, and where that instance's values are. */
static zkr_gather slice_of(const rows_job *j, size_t at, size_t *first_row, size_t *begin, size_t *end) {
    const zkr_block *b = j->block;
    const size_t instance = at / j->slices;
    *begin = at % j->slices * ROWS;
    *end = b->num_rows - *begin < ROWS ? b->num_rows : *begin + ROWS;
    *first_row = b->row_base + instance * b->num_rows + *begin;
    return (zkr_gather){.global = j->witness,
                        .own = j->witness + b->own_base + instance * b->num_own,
                        .links = b->links + instance * b->num_links,
                        .num_links = (uint32_t)b->num_links};
}

static zkr_sparse sparse_of(const zkr_block *b, int m) {
    const zkr_matrix *matrix = zkr_block_matrix(b, m);
    return (zkr_sparse){matrix->indptr, matrix->cols, matrix->coefs, (const zkr_fe *)b->constants};
}

static void multiply_slices(void *context, size_t from, size_t to, unsigned worker) {
    (void)worker;
    const rows_job *j = context;
    for (size_t at = from; at < to; at++) {
        size_t first_row, begin, end;
        const zkr_gather gather = slice_of(j, at, &first_row, &begin, &end);
        for (int m = 0; m < 3; m++) {
            if (j->out[m] == NULL) continue;
            const zkr_sparse sparse = sparse_of(j->block, m);
            j->k->sparse_rows(j->out[m] + first_row, &sparse, &gather, begin, end);
        }
    }
}

static void violated_slices(void *context, size_t from, size_t to, unsigned worker) {
    (void)worker;
    const rows_job *j = context;
    zkr_fe product[3][ROWS];
    for (size_t at = from; at < to; at++) {
        size_t first_row, begin, end;
        const zkr_gather gather = slice_of(j, at, &first_row, &begin, &end);
        for (int m = 0; m < 3; m++) {
            const zkr_sparse sparse = sparse_of(j->block, m);
            j->k->sparse_rows(product[m], &sparse, &gather, begin, end);
        }
        j->k->fr.mul(product[0], product[0], product[1], end - begin);
        for (size_t i = 0; i < end - begin; i++)
            j->violated[first_row + i] = !fr_eq(&product[0][i], &product[2][i]);
    }
}

static void for_each_slice(const zkr_engine *engine, const zkr_layout *layout, rows_job *j, zkr_range_fn fn) {
    for (size_t at = 0; at < layout->num_blocks; at++) {
        j->block = &layout->blocks[at];
        j->slices = (j->block->num_rows + ROWS - 1) / ROWS;
        const size_t n = j->slices * j->block->instances;
        zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 16, 1), fn, j);
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
    for_each_slice(engine, layout, &j, multiply_slices);
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
    for_each_slice(engine, layout, &j, violated_slices);
    return ZKR_OK;
}
