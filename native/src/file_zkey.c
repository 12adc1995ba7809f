/* file_zkey.c: the coefficients of a .zkey (section 4) become two sparse matrices. Knows no other section.
 *
 * An entry is 44 bytes: matrix, row, column (4 each), value * 2^512 mod r (32). Entries come in any
 * order. Writers keep those of a matrix in ascending rows, and then each thread knows from counts alone
 * where its part goes; otherwise one thread sorts by counting. Entries of one row keep their order.
 */
#include <stdlib.h>
#include <string.h>

#include "file_parts.h"
#include "threads.h"

#define ENTRY 44u
#define VALUE_AT 12u
#define NO_ROW UINT64_MAX

typedef struct {
    uint64_t begin, end;       /* entries */
    uint64_t count[2];         /* of A and B */
    uint64_t first[2], last[2]; /* their first and last row, NO_ROW where there is none */
    uint64_t at[2];            /* where they go */
    uint64_t before[2];        /* the last row of earlier parts, NO_ROW where there is none */
    uint64_t max_row;
    int ascending, status;
    zkr_file_fault fault;
} part;

typedef struct {
    const uint8_t *data;
    zkr_zkey_entries *out;
    uint64_t domain, columns;
    part parts[ZKR_MAX_PARTS];
    zkr_distinct tables[ZKR_MAX_PARTS];
    uint32_t *renumber[ZKR_MAX_PARTS];
} job;

static void blame(part *p, uint32_t kind, uint64_t index, uint32_t found) {
    p->fault = (zkr_file_fault){.kind = kind, .found = found, .index = index};
    p->status = ZKR_BADARGS;
}

/* Indices in range; counts; whether rows ascend. Stops at the first entry that is wrong. */
static void survey(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    for (size_t i = begin; i < end; i++) {
        part *p = &j->parts[i];
        const uint8_t *entry = j->data + p->begin * ENTRY;
        for (uint64_t e = p->begin; e < p->end; e++, entry += ENTRY) {
            const uint32_t m = zkr_load32(entry), row = zkr_load32(entry + 4), column = zkr_load32(entry + 8);
            if (m >= 2) {
                blame(p, ZKR_FILE_MATRIX, e, m);
                break;
            }
            if (row >= j->domain) {
                blame(p, ZKR_FILE_ROW, e, row);
                break;
            }
            if (column >= j->columns) {
                blame(p, ZKR_FILE_COLUMN, e, column);
                break;
            }
            if (p->count[m]++ == 0) {
                p->first[m] = row;
            } else if (row < p->last[m]) {
                p->ascending = 0;
            }
            p->last[m] = row;
            if (row > p->max_row) p->max_row = row;
        }
    }
}

/* The number of an entry's value in the part's table; 0 and a fault where it is not below r. */
static uint32_t value_of(job *j, size_t which, uint64_t e) {
    part *p = &j->parts[which];
    const uint8_t *value = j->data + e * ENTRY + VALUE_AT;
    uint32_t number = 0;
    int fresh = 0;
    const int status = zkr_distinct_number(&j->tables[which], value, &number, &fresh);
    if (status != ZKR_OK) {
        p->status = status;
    } else if (fresh && !zkr_file_is_canonical(value)) {
        blame(p, ZKR_FILE_VALUE, e, 0);
    }
    return number;
}

/* Entries in ascending rows: each goes behind the one before it. */
static void place_ascending(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    for (size_t i = begin; i < end; i++) {
        part *p = &j->parts[i];
        uint64_t at[2] = {p->at[0], p->at[1]};
        const uint64_t base[2] = {0, j->out->begin_b};
        /* the first row whose pointer is not written: after the last row of earlier parts */
        uint64_t next[2];
        for (int m = 0; m < 2; m++) next[m] = p->before[m] == NO_ROW ? 0 : p->before[m] + 1;
        uint32_t *indptr[2] = {j->out->indptr_a, j->out->indptr_b};
        const uint8_t *entry = j->data + p->begin * ENTRY;
        for (uint64_t e = p->begin; e < p->end && p->status == ZKR_OK; e++, entry += ENTRY) {
            const uint32_t m = zkr_load32(entry), row = zkr_load32(entry + 4);
            while (next[m] <= row) indptr[m][next[m]++] = (uint32_t)(at[m] - base[m]);
            j->out->cols[at[m]] = zkr_load32(entry + 8);
            j->out->coefs[at[m]] = value_of(j, i, e);
            at[m]++;
        }
    }
}

/* Later parts numbered their values on their own. */
static void renumber(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    for (size_t i = begin; i < end; i++) {
        const uint32_t *numbers = j->renumber[i];
        if (numbers == NULL) continue;
        for (int m = 0; m < 2; m++) {
            uint32_t *coefs = j->out->coefs + j->parts[i].at[m];
            for (uint64_t e = 0; e < j->parts[i].count[m]; e++) coefs[e] = numbers[coefs[e]];
        }
    }
}

/* Row pointers after the last entry. */
static void close_rows(uint32_t *indptr, uint64_t last, uint64_t rows, uint64_t count) {
    for (uint64_t row = last == NO_ROW ? 0 : last + 1; row <= rows; row++) indptr[row] = (uint32_t)count;
}

/* Counting sort, all in part 0: indptr[r + 1] counts row r, then says where its next entry goes. */
static void place_any(job *j, uint64_t rows) {
    part *p = &j->parts[0];
    uint32_t *indptr[2] = {j->out->indptr_a, j->out->indptr_b};
    const uint64_t base[2] = {0, j->out->begin_b};
    for (int m = 0; m < 2; m++) memset(indptr[m], 0, (rows + 1) * sizeof(uint32_t));
    for (uint64_t e = p->begin; e < p->end; e++) {
        const uint8_t *entry = j->data + e * ENTRY;
        indptr[zkr_load32(entry)][zkr_load32(entry + 4) + 1]++;
    }
    for (int m = 0; m < 2; m++) {
        uint32_t sum = 0;
        for (uint64_t row = 1; row <= rows; row++) {
            const uint32_t here = indptr[m][row];
            indptr[m][row] = sum; /* where row - 1 begins, and its next entry goes */
            sum += here;
        }
    }
    for (uint64_t e = p->begin; e < p->end && p->status == ZKR_OK; e++) {
        const uint8_t *entry = j->data + e * ENTRY;
        const uint32_t m = zkr_load32(entry);
        const uint64_t at = base[m] + indptr[m][zkr_load32(entry + 4) + 1]++;
        j->out->cols[at] = zkr_load32(entry + 8);
        j->out->coefs[at] = value_of(j, 0, e);
    }
}

/* The last rows are those of the public columns: in A one entry each, 1 at its own column; none in B. */
static int public_rows_hold(const zkr_zkey_entries *out, uint64_t num_public) {
    if (out->indptr_b[out->num_rows] != out->num_b) return 0;
    for (uint64_t i = 0; i <= num_public; i++) {
        const uint32_t at = out->indptr_a[out->num_rows + i];
        if (out->indptr_a[out->num_rows + i + 1] != at + 1) return 0;
        if (out->cols[at] != i || out->coefs[at] != 1) return 0;
    }
    return 1;
}

/* Makes at most `most` parts, where they go and what came before. */
static uint32_t divide(job *j, const zkr_engine *engine, size_t count) {
    const uint32_t parts = zkr_file_parts(engine, count);
    for (uint32_t i = 0; i < parts; i++) {
        part *p = &j->parts[i];
        memset(p, 0, sizeof *p);
        p->begin = (uint64_t)count * i / parts;
        p->end = (uint64_t)count * (i + 1) / parts;
        p->ascending = 1;
        for (int m = 0; m < 2; m++) p->first[m] = p->last[m] = NO_ROW;
    }
    return parts;
}

static int first_fault(const job *j, uint32_t parts, zkr_file_fault *fault) {
    for (uint32_t i = 0; i < parts; i++) {
        if (j->parts[i].status == ZKR_OK) continue;
        if (fault != NULL) *fault = j->parts[i].fault;
        return j->parts[i].status;
    }
    return ZKR_OK;
}

/* Everything but argument checks and the tables' end. */
static int convert(job *j, const zkr_engine *engine, size_t count, uint64_t num_public, zkr_file_fault *fault) {
    static const zkr_fe one = ZKR_LIMBS(FR_R2);
    zkr_zkey_entries *out = j->out;
    uint8_t known[3][ZKR_VALUE_BYTES];
    zkr_fe minus_one;
    fr_neg(&minus_one, &one);
    memset(known[0], 0, sizeof known[0]);
    memcpy(known[1], &one, sizeof known[1]);
    memcpy(known[2], &minus_one, sizeof known[2]);

    uint32_t parts = divide(j, engine, count);
    zkr_parallel_for(engine->threads, parts, 1, survey, j);
    int status = first_fault(j, parts, fault);
    if (status != ZKR_OK) return status;

    uint64_t total[2] = {0, 0}, last[2] = {NO_ROW, NO_ROW}, max_row = 0;
    int ascending = 1;
    for (uint32_t i = 0; i < parts; i++) {
        part *p = &j->parts[i];
        ascending &= p->ascending;
        if (p->max_row > max_row) max_row = p->max_row;
        for (int m = 0; m < 2; m++) {
            p->at[m] = total[m];
            p->before[m] = last[m];
            total[m] += p->count[m];
            if (p->count[m] == 0) continue;
            if (last[m] != NO_ROW && p->first[m] < last[m]) ascending = 0;
            last[m] = p->last[m];
        }
    }
    const zkr_file_fault no_public_rows = {.kind = ZKR_FILE_PUBLIC};
    if (fault != NULL) *fault = no_public_rows;
    if (count == 0 || max_row < num_public) return ZKR_BADARGS;
    const uint64_t rows = max_row + 1;
    out->num_rows = max_row - num_public;
    out->begin_b = total[0];
    out->num_b = total[1];
    for (uint32_t i = 0; i < parts; i++) j->parts[i].at[1] += total[0];

    if (!ascending) {
        parts = 1;
        j->parts[0].end = count;
    }
    for (uint32_t i = 0; i < parts && status == ZKR_OK; i++) {
        status = zkr_distinct_new(&j->tables[i], (const uint8_t(*)[ZKR_VALUE_BYTES])known, 3);
    }
    if (status != ZKR_OK) return status;
    if (ascending) {
        zkr_parallel_for(engine->threads, parts, 1, place_ascending, j);
    } else {
        place_any(j, rows);
    }
    status = first_fault(j, parts, fault);
    if (status != ZKR_OK) return status;
    if (ascending) {
        close_rows(out->indptr_a, last[0], rows, total[0]);
        close_rows(out->indptr_b, last[1], rows, total[1]);
    }
    status = zkr_file_merge(j->tables, parts, j->renumber);
    if (status != ZKR_OK) return status;
    zkr_parallel_for(engine->threads, parts, 1, renumber, j);
    if (fault != NULL) *fault = no_public_rows;
    if (!public_rows_hold(out, num_public)) return ZKR_BADARGS;
    out->num_a = total[0] - (num_public + 1);

    const zkr_distinct *table = &j->tables[0];
    out->num_constants = table->count;
    if (out->num_constants > out->max_constants) return ZKR_TOO_MANY;
    zkr_fe *constants = (zkr_fe *)out->constants;
    for (uint32_t i = 0; i < table->count; i++) memcpy(&constants[i], table->values[i], sizeof constants[i]);
    engine->k->fr.from_mont(constants, constants, table->count); /* x 2^512 becomes x 2^256 */
    return ZKR_OK;
}

int zkr_zkey_read_entries(const zkr_engine *engine, zkr_zkey_entries *out, const uint8_t *data, size_t count,
                          uint64_t domain, uint64_t columns, uint64_t num_public, zkr_file_fault *fault) {
    if (fault != NULL) memset(fault, 0, sizeof *fault);
    if (engine == NULL || out == NULL || (data == NULL && count > 0)) return ZKR_BADARGS;
    if (count > UINT32_MAX || domain == 0 || domain > UINT32_MAX || num_public >= columns) return ZKR_BADARGS;
    if (out->indptr_a == NULL || out->indptr_b == NULL || out->constants == NULL) return ZKR_BADARGS;
    if (count > 0 && (out->cols == NULL || out->coefs == NULL)) return ZKR_BADARGS;
    out->num_rows = out->num_a = out->begin_b = out->num_b = out->num_constants = 0;
    job *j = calloc(1, sizeof *j);
    if (j == NULL) return ZKR_NOMEM;
    j->data = data;
    j->out = out;
    j->domain = domain;
    j->columns = columns;
    const int status = convert(j, engine, count, num_public, fault);
    if (status != ZKR_BADARGS && fault != NULL) memset(fault, 0, sizeof *fault);
    zkr_file_renumber_free(j->renumber, ZKR_MAX_PARTS);
    for (uint32_t i = 0; i < ZKR_MAX_PARTS; i++) zkr_distinct_free(&j->tables[i]);
    free(j);
    return status;
}
