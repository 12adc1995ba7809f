/* file_distinct.c: open addressing over hashes with a secret seed; at most half of the slots are used. */
#include "file_distinct.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "zkr.h"

#define FIRST_ROOM 512u

/* The high and low half of two products of seeded words: every bit of a value moves every bit of the
 * hash, and without the seed nobody can say which values meet. */
static uint32_t hash(const zkr_distinct *t, const uint8_t *value) {
    uint64_t w[4];
    memcpy(w, value, sizeof w);
    const zkr_u128 p = (zkr_u128)(w[0] ^ t->seed[0]) * (w[1] ^ t->seed[1]);
    const zkr_u128 q = (zkr_u128)(w[2] ^ t->seed[2]) * (w[3] ^ t->seed[3]);
    uint64_t h = (uint64_t)p ^ (uint64_t)(p >> 64);
    h = (h << 23 | h >> 41) ^ (uint64_t)q ^ (uint64_t)(q >> 64);
    h *= 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32);
}

static int same(const uint8_t *a, const uint8_t *b) {
    uint64_t v[4], w[4];
    memcpy(v, a, sizeof v);
    memcpy(w, b, sizeof w);
    return ((v[0] ^ w[0]) | (v[1] ^ w[1]) | (v[2] ^ w[2]) | (v[3] ^ w[3])) == 0;
}

/* The slot of the value, or the free one where it belongs. */
static uint32_t find(const zkr_distinct *t, const uint8_t *value) {
    uint32_t at = hash(t, value) & t->mask;
    while (t->slots[at] != 0 && !same(t->values[t->slots[at] - 1], value)) at = (at + 1) & t->mask;
    return at;
}

/* Room for twice as many values. */
static int grow(zkr_distinct *t) {
    if (t->room >= 1u << 30) return ZKR_NOMEM;
    const uint32_t room = t->room == 0 ? FIRST_ROOM : 2 * t->room;
    const uint8_t **values = realloc(t->values, (size_t)room * sizeof *values);
    if (values == NULL) return ZKR_NOMEM;
    t->values = values;
    uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots);
    if (slots == NULL) return ZKR_NOMEM;
    free(t->slots);
    t->slots = slots;
    t->room = room;
    t->mask = 2 * room - 1;
    for (uint32_t i = 0; i < t->count; i++) t->slots[find(t, t->values[i])] = i + 1;
    return ZKR_OK;
}

int zkr_distinct_new(zkr_distinct *t, const uint8_t (*known)[ZKR_VALUE_BYTES], uint32_t n) {
    memset(t, 0, sizeof *t);
    int status = zkr_random_bytes(t->seed, sizeof t->seed);
    if (status == ZKR_OK) status = grow(t);
    for (uint32_t i = 0; status == ZKR_OK && i < n; i++) {
        uint32_t number;
        int fresh;
        status = zkr_distinct_number(t, known[i], &number, &fresh);
    }
    return status;
}

void zkr_distinct_free(zkr_distinct *t) {
    free(t->values);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

int zkr_distinct_number(zkr_distinct *t, const uint8_t *value, uint32_t *number, int *fresh) {
    *fresh = 0;
    if (t->count > 0 && same(t->values[t->last], value)) {
        *number = t->last;
        return ZKR_OK;
    }
    uint32_t at = find(t, value);
    if (t->slots[at] == 0) {
        if (t->count == t->room) {
            const int status = grow(t);
            if (status != ZKR_OK) return status;
            at = find(t, value);
        }
        t->values[t->count++] = value;
        t->slots[at] = t->count;
        *fresh = 1;
    }
    *number = t->last = t->slots[at] - 1;
    return ZKR_OK;
}
