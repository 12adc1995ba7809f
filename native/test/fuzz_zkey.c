/* fuzz_zkey.c: the readers of files' bytes on any bytes: no fault but a status, and sound matrices.
 *
 * For libFuzzer (clang, -DZKR_LIBFUZZER) this is LLVMFuzzerTestOneInput. Otherwise it has a main that makes
 * good inputs, damages them, and reads them, the same ones in every run:
 *
 *     fuzz_zkey SECONDS         for so long, at least 20,000 inputs
 *     fuzz_zkey --seeds FOLDER  writes good inputs for libFuzzer to begin with
 *
 * An input: what to read (1), threads (1), log of the domain or number of rows (1), columns (1), public columns
 * (1), then the bytes of the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "field.h"
#include "zkr.h"

#define HEAD 5u
#define ENTRY 44u
#define ROOM 16u /* constants: few, so that there are often more */
enum { ENTRIES, TERMS, SCALARS, KINDS };

static zkr_engine *engines[3]; /* 1, 2 and 3 threads */
static size_t outcomes[KINDS][2];

static void matrix_is_sound(const uint32_t *indptr, uint64_t rows, const uint32_t *cols, const uint32_t *coefs,
                            uint64_t count, uint64_t columns, uint64_t constants) {
    CHECK(indptr[0] == 0 && indptr[rows] == count);
    for (uint64_t r = 0; r < rows; r++) CHECK(indptr[r] <= indptr[r + 1]);
    for (uint64_t i = 0; i < count; i++) CHECK(cols[i] < columns && coefs[i] < constants);
}

static void constants_are_canonical(const uint64_t *constants, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        zkr_fe x;
        memcpy(&x, constants + 4 * i, sizeof x);
        CHECK(fr_is_canonical(&x));
    }
}

static uint32_t *words(size_t n) {
    uint32_t *p = malloc((n == 0 ? 1 : n) * sizeof *p);
    CHECK(p != NULL);
    return p;
}

static int read_entries(const zkr_engine *engine, const uint8_t *head, const uint8_t *data, size_t size) {
    const uint64_t domain = (uint64_t)1 << (head[2] % 12), columns = 1 + (uint64_t)head[3];
    const uint64_t num_public = head[4] % columns;
    const size_t count = size / ENTRY;
    zkr_zkey_entries out = {.indptr_a = words(domain + 1), .indptr_b = words(domain + 1),
                            .cols = words(count), .coefs = words(count), .max_constants = ROOM};
    out.constants = malloc(ROOM * 32);
    CHECK(out.constants != NULL);
    zkr_file_fault fault;
    int status = zkr_zkey_read_entries(engine, &out, data, count, domain, columns, num_public, &fault);
    if (status == ZKR_TOO_MANY) {
        CHECK(out.num_constants > ROOM && out.num_constants <= count + 3);
        out.max_constants = out.num_constants;
        free(out.constants);
        out.constants = malloc((size_t)out.max_constants * 32);
        CHECK(out.constants != NULL);
        status = zkr_zkey_read_entries(engine, &out, data, count, domain, columns, num_public, &fault);
    }
    if (status == ZKR_OK) {
        CHECK(fault.kind == ZKR_FILE_NONE);
        CHECK(out.num_rows + num_public < domain);
        CHECK(out.num_a + num_public + 1 == out.begin_b && out.begin_b + out.num_b == count);
        matrix_is_sound(out.indptr_a, out.num_rows, out.cols, out.coefs, out.num_a, columns, out.num_constants);
        matrix_is_sound(out.indptr_b, out.num_rows, out.cols + out.begin_b, out.coefs + out.begin_b, out.num_b,
                        columns, out.num_constants);
        constants_are_canonical(out.constants, out.num_constants);
    } else {
        CHECK(status == ZKR_BADARGS && fault.kind != ZKR_FILE_NONE);
        CHECK(fault.kind == ZKR_FILE_PUBLIC || fault.index < count);
    }
    free(out.indptr_a);
    free(out.indptr_b);
    free(out.cols);
    free(out.coefs);
    free(out.constants);
    return status;
}

static int read_terms(const zkr_engine *engine, const uint8_t *head, const uint8_t *data, size_t size) {
    const uint64_t rows = head[2], columns = 1 + (uint64_t)head[3];
    zkr_r1cs_terms out = {.max_constants = ROOM};
    for (int m = 0; m < 3; m++) out.indptr[m] = words(rows + 1);
    zkr_file_fault fault;
    int status = zkr_r1cs_walk(out.indptr, data, size, rows, &fault);
    if (status == ZKR_OK) {
        for (int m = 0; m < 3; m++) {
            out.room[m] = out.indptr[m][rows];
            out.cols[m] = words(out.room[m]);
            out.coefs[m] = words(out.room[m]);
        }
        out.constants = malloc(ROOM * 32);
        CHECK(out.constants != NULL);
        status = zkr_r1cs_read_terms(engine, &out, data, size, rows, columns, &fault);
        if (status == ZKR_TOO_MANY) {
            out.max_constants = out.num_constants;
            free(out.constants);
            out.constants = malloc((size_t)out.max_constants * 32);
            CHECK(out.constants != NULL);
            status = zkr_r1cs_read_terms(engine, &out, data, size, rows, columns, &fault);
        }
        if (status == ZKR_OK) {
            for (int m = 0; m < 3; m++) {
                matrix_is_sound(out.indptr[m], rows, out.cols[m], out.coefs[m], out.room[m], columns,
                                out.num_constants);
            }
            constants_are_canonical(out.constants, out.num_constants);
        } else {
            CHECK(fault.kind == ZKR_FILE_COLUMN || fault.kind == ZKR_FILE_VALUE);
        }
        /* so is less room than they need */
        for (int m = 0; m < 3; m++) {
            if (out.room[m] == 0) continue;
            out.room[m]--;
            CHECK(zkr_r1cs_read_terms(engine, &out, data, size, rows, columns, &fault) == ZKR_BADARGS);
            out.room[m]++;
        }
        /* row pointers that are not those of the bytes are refused, whatever they are */
        out.indptr[head[4] % 3][rows == 0 ? 0 : size % rows + 1] ^= 1u << (head[3] % 32);
        CHECK(rows == 0 || zkr_r1cs_read_terms(engine, &out, data, size, rows, columns, &fault) == ZKR_BADARGS);
        for (int m = 0; m < 3; m++) {
            free(out.cols[m]);
            free(out.coefs[m]);
        }
        free(out.constants);
    } else {
        CHECK(status == ZKR_BADARGS);
        CHECK(fault.kind != ZKR_FILE_NONE || size / 12 < rows);
    }
    for (int m = 0; m < 3; m++) free(out.indptr[m]);
    return status;
}

static int read_scalars(const zkr_engine *engine, const uint8_t *data, size_t size) {
    const size_t n = size / 32;
    uint64_t *out = malloc(n * 32 + 1);
    CHECK(out != NULL);
    size_t bad;
    const int status = zkr_fr_from_bytes(engine, out, data, n, &bad);
    if (status == ZKR_OK) {
        constants_are_canonical(out, n);
    } else {
        CHECK(status == ZKR_NOTCANONICAL && bad < n);
    }
    free(out);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (engines[0] == NULL) {
        for (uint32_t t = 0; t < 3; t++) CHECK(zkr_engine_new(&engines[t], "portable", t + 1) == ZKR_OK);
    }
    if (size < HEAD) return 0;
    /* a copy that ends where the bytes end, at an odd address, so that a sanitizer sees one byte too far */
    const size_t length = size - HEAD;
    uint8_t *copy = malloc(length + 1);
    CHECK(copy != NULL);
    memcpy(copy + 1, input + HEAD, length);
    const zkr_engine *engine = engines[input[1] % 3];
    int status;
    const unsigned kind = input[0] % KINDS;
    if (kind == ENTRIES) {
        status = read_entries(engine, input, copy + 1, length);
    } else if (kind == TERMS) {
        status = read_terms(engine, input, copy + 1, length);
    } else {
        status = read_scalars(engine, copy + 1, length);
    }
    outcomes[kind][status == ZKR_OK]++;
    free(copy);
    return 0;
}

#ifndef ZKR_LIBFUZZER

#define MOST 8192u

static uint64_t below(uint64_t n) { return random64() % n; }

static uint8_t *put32(uint8_t *at, uint64_t value) {
    const uint32_t word = (uint32_t)value;
    memcpy(at, &word, sizeof word);
    return at + sizeof word;
}

/* 0, 1 (times 2^512 in a key), or one of a few or of many values below r */
static uint8_t *put_value(uint8_t *at, int of_key, uint64_t pool) {
    static const zkr_fe key_one = ZKR_LIMBS(FR_R2);
    zkr_fe x = {{0, 0, 0, 0}};
    const uint64_t which = below(pool + 2);
    if (which == 1) {
        x = key_one;
        if (!of_key) x = (zkr_fe){{1, 0, 0, 0}};
    } else if (which > 1) {
        x.l[0] = which * 0x9e3779b97f4a7c15ull;
        x.l[3] = which % (fr_modulus.l[3] - 1);
    }
    memcpy(at, &x, sizeof x);
    return at + sizeof x;
}

/* A good input; its length. */
static size_t good(uint8_t *out) {
    const unsigned kind = (unsigned)below(KINDS);
    const uint64_t columns = 1 + below(256), pool = below(2) ? 4 : 200;
    uint8_t *at = out + HEAD;
    out[0] = (uint8_t)kind;
    out[1] = (uint8_t)below(3);
    out[3] = (uint8_t)(columns - 1);
    out[4] = (uint8_t)below(columns < 6 ? columns : 6);
    if (kind == ENTRIES) {
        const uint64_t num_public = out[4], rows = 1 + below(60), count = below(100);
        const int ascending = below(3) != 0;
        out[2] = 7;
        uint64_t row = 0;
        for (uint64_t i = 0; i < count; i++) {
            row = ascending ? row + (below(4) == 0 && row + 1 < rows) : below(rows);
            at = put32(put32(put32(at, below(2)), row), below(columns));
            at = put_value(at, 1, pool);
        }
        for (uint64_t i = 0; i <= num_public; i++) {
            static const zkr_fe one = ZKR_LIMBS(FR_R2);
            at = put32(put32(put32(at, 0), rows + i), i);
            memcpy(at, &one, sizeof one);
            at += sizeof one;
        }
    } else if (kind == TERMS) {
        const uint64_t rows = below(25);
        out[2] = (uint8_t)rows;
        for (uint64_t i = 0; i < 3 * rows; i++) {
            const uint64_t terms = below(4);
            at = put32(at, terms);
            for (uint64_t k = 0; k < terms; k++) at = put_value(put32(at, below(columns)), 0, pool);
        }
    } else {
        out[2] = 0;
        for (uint64_t n = below(80); n > 0; n--) at = put_value(at, 0, 200);
    }
    return (size_t)(at - out);
}

/* One of the ways in which bytes go wrong. */
static size_t damage(uint8_t *data, size_t size) {
    if (size < HEAD) return 0;
    const uint32_t domain = 1u << (data[2] % 12), columns = 1u + data[3];
    const uint32_t absurd[] = {0, 1, 2, domain - 1, domain, columns - 1, columns, 1u << 31, UINT32_MAX};
    const size_t at = (size_t)below(size), left = size - at;
    switch (below(9)) {
    case 7: /* an index of an entry */
    case 8: {
        if (size < HEAD + ENTRY) return size;
        const size_t entry = HEAD + ENTRY * (size_t)below((size - HEAD) / ENTRY);
        put32(data + entry + 4 * below(3), absurd[below(9)]);
        return size;
    }
    case 0: data[at] = (uint8_t)random64(); return size;
    case 1: data[at] ^= (uint8_t)(1u << below(8)); return size;
    case 2:
        if (left >= 4) put32(data + at, absurd[below(9)]);
        return size;
    case 3:
        memset(data + at, (int)(255 * below(2)), left < 32 ? left : 32);
        return size;
    case 4: return at;
    case 5: /* leave a run out */
        memmove(data + at, data + at + left / 2, left - left / 2);
        return size - left / 2;
    default: /* copy a run to elsewhere */
        memmove(data + at, data + below(size - left + 1), left);
        return size;
    }
}

static int write_seeds(const char *folder) {
    static uint8_t input[MOST];
    for (int i = 0; i < 60; i++) {
        char name[4096];
        const size_t size = good(input);
        snprintf(name, sizeof name, "%s/seed%02d", folder, i);
        FILE *file = fopen(name, "wb");
        CHECK(file != NULL && fwrite(input, 1, size, file) == size && fclose(file) == 0);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) return write_seeds(argv[2]);
    const time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
    static uint8_t input[MOST];
    size_t inputs = 0;
    while (inputs < 20000 || time(NULL) < end) {
        size_t size = good(input);
        for (uint64_t n = below(4); n > 0; n--) size = damage(input, size);
        LLVMFuzzerTestOneInput(input, size);
        inputs++;
    }
    printf("fuzz_zkey: %zu inputs;", inputs);
    for (int k = 0; k < KINDS; k++) {
        static const char *const names[] = {"entries", "terms", "scalars"};
        printf(" %s: %zu read, %zu refused;", names[k], outcomes[k][1], outcomes[k][0]);
        CHECK(outcomes[k][0] > inputs / 100 && outcomes[k][1] > inputs / 100);
    }
    printf("\n");
    return 0;
}

#endif
