/* file_distinct.h: numbers the distinct 32-byte values of a file. Knows no field and no format. */
#ifndef ZKR_FILE_DISTINCT_H
#define ZKR_FILE_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

#define ZKR_VALUE_BYTES 32

/* Values are numbered from 0 in the order of their first appearance. They are not copied: what is
 * pointed to must outlive the table. Takes 16 to 32 bytes a distinct value. */
typedef struct {
    const uint8_t **values; /* by number */
    uint32_t *slots;        /* 0: free, else a number + 1 */
    uint64_t seed[4];       /* drawn for each table, so that nobody can make values collide */
    uint32_t count, room, mask;
    uint32_t last; /* the number given last: a value often follows itself */
} zkr_distinct;

/* Begins with `n` known values, distinct, numbered in order. ZKR_OK, ZKR_NOMEM or ZKR_INTERNAL; after
 * a failure too the table may be freed. */
int zkr_distinct_new(zkr_distinct *table, const uint8_t (*known)[ZKR_VALUE_BYTES], uint32_t n);
void zkr_distinct_free(zkr_distinct *table);

/* *number = the value's, a new one where *fresh becomes 1. ZKR_OK or ZKR_NOMEM. */
int zkr_distinct_number(zkr_distinct *table, const uint8_t *value, uint32_t *number, int *fresh);

#endif
