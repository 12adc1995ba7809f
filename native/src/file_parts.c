/* file_parts.c: what the readers of coefficients share. Assumes a little-endian machine, as zkr.h does. */
#include "file_parts.h"

#include <stdlib.h>
#include <string.h>

#ifndef ZKR_FILE_LEAST /* items that are worth a thread; fewer for tests */
#define ZKR_FILE_LEAST 65536u
#endif

int zkr_file_is_canonical(const uint8_t *value) {
    zkr_fe x;
    memcpy(&x, value, sizeof x);
    return fr_is_canonical(&x);
}

uint32_t zkr_file_parts(const zkr_engine *engine, size_t items) {
    size_t parts = items / ZKR_FILE_LEAST;
    if (parts > engine->threads) parts = engine->threads;
    if (parts > ZKR_MAX_PARTS) parts = ZKR_MAX_PARTS;
    return parts == 0 ? 1 : (uint32_t)parts;
}

int zkr_file_merge(zkr_distinct *tables, uint32_t parts, uint32_t *renumber[ZKR_MAX_PARTS]) {
    for (uint32_t p = 0; p < parts; p++) renumber[p] = NULL;
    for (uint32_t p = 1; p < parts; p++) {
        renumber[p] = malloc(((size_t)tables[p].count + 1) * sizeof *renumber[p]);
        if (renumber[p] == NULL) return ZKR_NOMEM;
        for (uint32_t i = 0; i < tables[p].count; i++) {
            int fresh;
            const int status = zkr_distinct_number(&tables[0], tables[p].values[i], &renumber[p][i], &fresh);
            if (status != ZKR_OK) return status;
        }
    }
    return ZKR_OK;
}

void zkr_file_renumber_free(uint32_t *renumber[ZKR_MAX_PARTS], uint32_t parts) {
    for (uint32_t p = 0; p < parts; p++) free(renumber[p]);
}
