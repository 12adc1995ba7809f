/* file_parts.h: a file's coefficients read by several threads, each with its own part and numbering. */
#ifndef ZKR_FILE_PARTS_H
#define ZKR_FILE_PARTS_H

#include "engine.h"
#include "file_distinct.h"

#define ZKR_MAX_PARTS 64u

/* Canonical little-endian bytes below r. */
int zkr_file_is_canonical(const uint8_t *value);

/* How many parts to read `items` in: no more than threads, none of them small. */
uint32_t zkr_file_parts(const zkr_engine *engine, size_t items);

/* Appends the numbering of later parts to that of parts[0]: renumber[p][i] is the final number of part
 * p's value i, for p > 0; allocated here, freed by the caller with zkr_file_renumber_free. */
int zkr_file_merge(zkr_distinct *tables, uint32_t parts, uint32_t *renumber[ZKR_MAX_PARTS]);
void zkr_file_renumber_free(uint32_t *renumber[ZKR_MAX_PARTS], uint32_t parts);

static inline uint32_t zkr_load32(const uint8_t *at) {
    uint32_t x;
    __builtin_memcpy(&x, at, sizeof x);
    return x;
}

#endif
