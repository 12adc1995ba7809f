/* file_r1cs.c: the constraints of an .r1cs (section 2) become three sparse matrices. Knows no other section.
 *
 * A constraint is three linear combinations, each a number of terms (4) and as many of column (4) and
 * coefficient (32): nine words a term, one word more a combination. So where a row begins follows from
 * the row pointers: one thread walks along the numbers of terms, then all read terms.
 */
#include <stdlib.h>
#include <string.h>

#include "file_parts.h"
#include "threads.h"

#define TERM 36u
#define VALUE_AT 4u
#define NONE UINT64_MAX

typedef struct {
    uint64_t begin, end; /* rows */
    int status;
    uint64_t wrong_column, wrong_value; /* combination of the first, NONE where there is none */
    uint32_t found;                     /* that column */
    uint64_t value_at;                  /* that value's offset in the section */
} part;

typedef struct {
    const uint8_t *data;
    zkr_r1cs_terms *out;
    uint64_t length, columns;
    part parts[ZKR_MAX_PARTS];
    zkr_distinct tables[ZKR_MAX_PARTS];
    uint32_t *renumber[ZKR_MAX_PARTS];
} job;

int zkr_r1cs_walk(uint32_t *const *indptr, const uint8_t *data, size_t length, uint64_t rows,
                  zkr_file_fault *fault) {
    zkr_file_fault unused;
    if (fault == NULL) fault = &unused;
    memset(fault, 0, sizeof *fault);
    if (indptr == NULL || indptr[0] == NULL || indptr[1] == NULL || indptr[2] == NULL) return ZKR_BADARGS;
    if ((data == NULL && length > 0) || rows > UINT32_MAX || length / 12 < rows) return ZKR_BADARGS;
    uint64_t counts[3] = {0, 0, 0}, at = 0;
    uint32_t terms = 0;
    for (int m = 0; m < 3; m++) indptr[m][0] = 0;
    for (uint64_t row = 0; row < rows; row++) {
        for (unsigned m = 0; m < 3; m++) {
            if (length - at < 4) {
                *fault = (zkr_file_fault){.kind = ZKR_FILE_TERMS, .found = terms, .index = 3 * row + m - 1};
                return ZKR_BADARGS;
            }
            terms = zkr_load32(data + at);
            if ((length - at - 4) / TERM < terms) {
                *fault = (zkr_file_fault){.kind = ZKR_FILE_TERMS, .found = terms, .index = 3 * row + m};
                return ZKR_BADARGS;
            }
            at += 4 + (uint64_t)terms * TERM;
            counts[m] += terms;
            indptr[m][row + 1] = (uint32_t)counts[m];
        }
    }
    if (at < length) {
        *fault = (zkr_file_fault){.kind = ZKR_FILE_END, .found = length - at};
        return ZKR_BADARGS;
    }
    const uint64_t total = counts[0] + counts[1] + counts[2];
    if (total > UINT32_MAX) {
        *fault = (zkr_file_fault){.kind = ZKR_FILE_TOTAL, .found = total};
        return ZKR_BADARGS;
    }
    return ZKR_OK;
}

static void read_rows(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    for (size_t i = begin; i < end; i++) {
        part *p = &j->parts[i];
        zkr_r1cs_terms *out = j->out;
        uint64_t at = 12 * p->begin;
        for (int m = 0; m < 3; m++) at += (uint64_t)out->indptr[m][p->begin] * TERM;
        for (uint64_t row = p->begin; row < p->end && p->status == ZKR_OK; row++) {
            for (unsigned m = 0; m < 3; m++) {
                /* the row pointers are the caller's: they must be what zkr_r1cs_walk found */
                const uint32_t first = out->indptr[m][row], last = out->indptr[m][row + 1];
                if (j->length < at || j->length - at < 4 || first > last || last > out->room[m] ||
                    zkr_load32(j->data + at) != last - first || (j->length - at - 4) / TERM < last - first) {
                    p->status = ZKR_BADARGS;
                    return;
                }
                at += 4;
                for (uint32_t k = first; k < last; k++, at += TERM) {
                    const uint32_t column = zkr_load32(j->data + at);
                    const uint8_t *value = j->data + at + VALUE_AT;
                    int fresh = 0;
                    uint32_t number = 0;
                    const int status = zkr_distinct_number(&j->tables[i], value, &number, &fresh);
                    if (status != ZKR_OK) p->status = status;
                    if (column >= j->columns && p->wrong_column == NONE) {
                        p->wrong_column = 3 * row + m;
                        p->found = column;
                    }
                    if (fresh && p->wrong_value == NONE && !zkr_file_is_canonical(value)) {
                        p->wrong_value = 3 * row + m;
                        p->value_at = at + VALUE_AT;
                    }
                    out->cols[m][k] = column;
                    out->coefs[m][k] = number;
                }
            }
        }
    }
}

static void renumber(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    for (size_t i = begin; i < end; i++) {
        const uint32_t *numbers = j->renumber[i];
        if (numbers == NULL) continue;
        const part *p = &j->parts[i];
        for (int m = 0; m < 3; m++) {
            uint32_t *coefs = j->out->coefs[m];
            for (uint32_t k = j->out->indptr[m][p->begin]; k < j->out->indptr[m][p->end]; k++) {
                coefs[k] = numbers[coefs[k]];
            }
        }
    }
}

static int first_fault(const job *j, uint32_t parts, zkr_file_fault *fault) {
    for (uint32_t i = 0; i < parts; i++) {
        if (j->parts[i].status != ZKR_OK) return j->parts[i].status;
    }
    for (uint32_t i = 0; i < parts; i++) {
        const part *p = &j->parts[i];
        if (p->wrong_column == NONE) continue;
        *fault = (zkr_file_fault){.kind = ZKR_FILE_COLUMN, .found = p->found, .index = p->wrong_column};
        return ZKR_BADARGS;
    }
    for (uint32_t i = 0; i < parts; i++) {
        const part *p = &j->parts[i];
        if (p->wrong_value == NONE) continue;
        *fault = (zkr_file_fault){.kind = ZKR_FILE_VALUE, .found = p->value_at, .index = p->wrong_value};
        return ZKR_BADARGS;
    }
    return ZKR_OK;
}

static int convert(job *j, const zkr_engine *engine, uint64_t rows, zkr_file_fault *fault) {
    zkr_r1cs_terms *out = j->out;
    uint8_t known[3][ZKR_VALUE_BYTES] = {{0}, {1}};
    zkr_fe minus_one = fr_modulus;
    minus_one.l[0] -= 1;
    memcpy(known[2], &minus_one, sizeof known[2]);

    uint32_t parts = zkr_file_parts(engine, (size_t)out->indptr[0][rows] + out->indptr[1][rows] + out->indptr[2][rows]);
    if (parts > rows) parts = rows == 0 ? 1 : (uint32_t)rows;
    int status = ZKR_OK;
    for (uint32_t i = 0; i < parts && status == ZKR_OK; i++) {
        j->parts[i] = (part){.begin = rows * i / parts, .end = rows * (i + 1) / parts};
        j->parts[i].wrong_column = j->parts[i].wrong_value = NONE;
        status = zkr_distinct_new(&j->tables[i], (const uint8_t(*)[ZKR_VALUE_BYTES])known, 3);
    }
    if (status != ZKR_OK) return status;
    zkr_parallel_for(engine->threads, parts, 1, read_rows, j);
    status = first_fault(j, parts, fault);
    if (status != ZKR_OK) return status;
    status = zkr_file_merge(j->tables, parts, j->renumber);
    if (status != ZKR_OK) return status;
    zkr_parallel_for(engine->threads, parts, 1, renumber, j);
    const zkr_distinct *table = &j->tables[0];
    out->num_constants = table->count;
    if (out->num_constants > out->max_constants) return ZKR_TOO_MANY;
    for (uint32_t i = 0; i < table->count; i++) {
        memcpy(out->constants + 4 * (size_t)i, table->values[i], ZKR_VALUE_BYTES);
    }
    return ZKR_OK;
}

int zkr_r1cs_read_terms(const zkr_engine *engine, zkr_r1cs_terms *out, const uint8_t *data, size_t length,
                        uint64_t rows, uint64_t columns, zkr_file_fault *fault) {
    zkr_file_fault unused;
    if (fault == NULL) fault = &unused;
    memset(fault, 0, sizeof *fault);
    if (engine == NULL || out == NULL || out->constants == NULL) return ZKR_BADARGS;
    if ((data == NULL && length > 0) || rows > UINT32_MAX || length / 12 < rows) return ZKR_BADARGS;
    for (int m = 0; m < 3; m++) {
        if (out->indptr[m] == NULL || out->indptr[m][0] != 0) return ZKR_BADARGS;
        if (out->room[m] > 0 && (out->cols[m] == NULL || out->coefs[m] == NULL)) return ZKR_BADARGS;
    }
    out->num_constants = 0;
    job *j = calloc(1, sizeof *j);
    if (j == NULL) return ZKR_NOMEM;
    j->data = data;
    j->out = out;
    j->length = length;
    j->columns = columns;
    const int converted = convert(j, engine, rows, fault);
    zkr_file_renumber_free(j->renumber, ZKR_MAX_PARTS);
    for (uint32_t i = 0; i < ZKR_MAX_PARTS; i++) zkr_distinct_free(&j->tables[i]);
    free(j);
    return converted;
}
