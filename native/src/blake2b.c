/* blake2b.c: BLAKE2b's compression of whole blocks, whose state the record of a contribution holds.
 *
 * Knows no hash as a whole: padding, the last block and the digest are the caller's.
 *
 * Reference: RFC 7693, section 3.
 */
#include <stddef.h>
#include <stdint.h>

#include "zkr.h"

#define BLOCK 128
#define ROUNDS 12

static const uint64_t start[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};

/* Which words of the block a round takes; the last two rounds are the first two again. */
static const uint8_t order[ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

static inline uint64_t load(const uint8_t *at) {
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static inline uint64_t rotate(uint64_t word, unsigned by) { return word >> by | word << (64 - by); }

#define MIX(a, b, c, d, x, y)             \
    do {                                  \
        v[a] += v[b] + (x);               \
        v[d] = rotate(v[d] ^ v[a], 32);   \
        v[c] += v[d];                     \
        v[b] = rotate(v[b] ^ v[c], 24);   \
        v[a] += v[b] + (y);               \
        v[d] = rotate(v[d] ^ v[a], 16);   \
        v[c] += v[d];                     \
        v[b] = rotate(v[b] ^ v[c], 63);   \
    } while (0)

/* Unrolled, so that the order of the words is in the instructions. */
#define ROUND(r)                                                \
    do {                                                        \
        MIX(0, 4, 8, 12, m[order[r][0]], m[order[r][1]]);       \
        MIX(1, 5, 9, 13, m[order[r][2]], m[order[r][3]]);       \
        MIX(2, 6, 10, 14, m[order[r][4]], m[order[r][5]]);      \
        MIX(3, 7, 11, 15, m[order[r][6]], m[order[r][7]]);      \
        MIX(0, 5, 10, 15, m[order[r][8]], m[order[r][9]]);      \
        MIX(1, 6, 11, 12, m[order[r][10]], m[order[r][11]]);    \
        MIX(2, 7, 8, 13, m[order[r][12]], m[order[r][13]]);     \
        MIX(3, 4, 9, 14, m[order[r][14]], m[order[r][15]]);     \
    } while (0)

static void compress(uint64_t chain[8], const uint8_t *block, uint64_t hashed) {
    uint64_t m[16], v[16];
    for (int i = 0; i < 16; i++) m[i] = load(block + 8 * i);
    for (int i = 0; i < 8; i++) v[i] = chain[i], v[8 + i] = start[i];
    v[12] ^= hashed;
    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
    ROUND(4);
    ROUND(5);
    ROUND(6);
    ROUND(7);
    ROUND(8);
    ROUND(9);
    ROUND(10);
    ROUND(11);
    for (int i = 0; i < 8; i++) chain[i] ^= v[i] ^ v[8 + i];
}

int zkr_blake2b_blocks(uint64_t *chain, const uint8_t *blocks, size_t n, uint64_t hashed) {
    if (chain == NULL || (blocks == NULL && n > 0)) return ZKR_BADARGS;
    if (n > (UINT64_MAX - hashed) / BLOCK) return ZKR_BADARGS;
    for (size_t i = 0; i < n; i++) {
        hashed += BLOCK;
        compress(chain, blocks + BLOCK * i, hashed);
    }
    return ZKR_OK;
}
