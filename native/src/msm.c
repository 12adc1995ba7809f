/* msm.c: multi-scalar multiplication in G1 and G2.
 *
 * MSM is Pippenger's bucket method with signed digits, over sorted buckets:
 *  1. every scalar becomes k or r - k, whichever is smaller, and is cut into signed digits of c bits;
 *     0, 1, -1 and other small scalars are set apart: they take part in the lowest window only, with
 *     one addition or none;
 *  2. for each window, the indices of the points with a nonzero digit are sorted by bucket (counting);
 *  3. the sorted list is cut into blocks of equal size, whatever the buckets in them, and each block
 *     gathers its points and sums each bucket's run by batch-affine additions (kernel sum_segments).
 *     A bucket that goes on into further blocks leaves partial sums there, which a last small
 *     sum_segments joins. So one enormous bucket (all scalars equal) is as parallel as many;
 *  4. sum of b * bucket[b]: the buckets stand in a table whose rows and columns are summed by the same
 *     kernel, and the few sums are weighed one by one at the very end.
 * Threads share the work inside each window, so that no window is ever the last to finish alone.
 */
#include "msm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "pages.h"
#include "threads.h"

#define MAX_WINDOW 16
#define MAX_WINDOWS 64
#define SAMPLE 4096
#define SLICE 2048 /* scalars cut into digits at a time */

/* ---- scalars to digits ----------------------------------------------------------------------- */

static unsigned bit_length(const zkr_fe *k) {
    for (int i = 3; i >= 0; i--)
        if (k->l[i] != 0) return (unsigned)(64 * i + 64 - __builtin_clzll(k->l[i]));
    return 0;
}

/* Average number of significant bits of the scalars, from a sample, and the number of nonzero ones. */
typedef struct {
    double bits, nonzero;
} scalar_profile;

static scalar_profile profile(const zkr_kernels *k, const zkr_fe *scalars, size_t n) {
    scalar_profile p = {0, 0};
    const size_t step = n / SAMPLE + 1;
    size_t seen = 0;
    for (size_t i = 0; i < n; i += step, seen++) {
        zkr_fe s;
        k->fr.from_mont(&s, &scalars[i], 1);
        halve_range(&s);
        const unsigned bits = bit_length(&s);
        p.bits += bits;
        p.nonzero += bits != 0;
    }
    p.bits *= (double)n / (double)seen;
    p.nonzero *= (double)n / (double)seen;
    return p;
}

/* The window size of least cost in base-field products: 6 a digit that is not zero, 9 a bucket:
 * measured at 2^20 with IFMA, 32 ns for a digit with its sorting and 46 ns for a bucket's two additions. */
static unsigned choose_window(scalar_profile p) {
    double best = 0;
    unsigned best_c = 0;
    for (unsigned c = 5; c <= MAX_WINDOW; c++) {
        const double digits = p.bits / c + 0.5 * p.nonzero;
        const double buckets = (double)num_windows(c) * (double)((size_t)1 << (c - 1));
        const double cost = 6 * digits + 9 * buckets;
        if (best_c == 0 || cost < best) {
            best = cost;
            best_c = c;
        }
    }
    return best_c;
}

/* Scalars below 2^(c-1), most of a witness, have a digit in window 0 only: it holds a digit for every
 * scalar. The other windows hold digits of the longer ones only, side by side at the front of each slice. */
typedef struct {
    const zkr_kernels *k;
    const zkr_fe *scalars;
    size_t n;
    unsigned c, windows;
    zkr_fe bias;
    uint16_t *digits;     /* [window][place], digit + 2^(c-1) */
    uint8_t *negated;     /* [i] */
    uint32_t *long_index; /* [place]: which scalar, in windows above 0 */
    uint32_t *long_before; /* [slice]: long scalars in it, and once all are cut, in the slices before */
} digits_job;

static void digits_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    digits_job *j = context;
    const uint32_t zero = 1u << (j->c - 1);
    zkr_fe plain[64];
    for (size_t slice = begin; slice < end; slice++) {
        const size_t from = slice * SLICE, to = from + SLICE < j->n ? from + SLICE : j->n;
        size_t place = from;
        for (size_t base = from; base < to; base += 64) {
            const size_t count = to - base < 64 ? to - base : 64;
            size_t longer = 0;
            j->k->fr.from_mont(plain, j->scalars + base, count);
            for (size_t i = 0; i < count; i++) {
                uint64_t carry = 0;
                zkr_fe s = plain[i];
                j->negated[base + i] = halve_range(&s);
                const bool is_long = (s.l[1] | s.l[2] | s.l[3]) != 0 || s.l[0] >= zero;
                for (int l = 0; l < 4; l++) s.l[l] = zkr_adc(s.l[l], j->bias.l[l], &carry);
                j->digits[base + i] = (uint16_t)window_of(&s, 0, j->c);
                plain[longer] = s;
                j->long_index[place + longer] = (uint32_t)(base + i);
                longer += is_long;
            }
            for (unsigned w = 1; w < j->windows; w++) {
                uint16_t *row = j->digits + (size_t)w * j->n + place;
                const uint32_t add = w + 1 == j->windows ? zero : 0;
                for (size_t i = 0; i < longer; i++) row[i] = (uint16_t)(window_of(&plain[i], w, j->c) + add);
            }
            place += longer;
        }
        j->long_before[slice] = (uint32_t)(place - from);
    }
}

static void count_before(digits_job *j) {
    const size_t slices = (j->n + SLICE - 1) / SLICE;
    uint32_t before = 0;
    for (size_t i = 0; i < slices; i++) {
        const uint32_t here = j->long_before[i];
        j->long_before[i] = before;
        before += here;
    }
    j->long_before[slices] = before;
}

/* ---- sorting one window ---------------------------------------------------------------------- */

typedef struct {
    const uint16_t *digits;  /* [place] */
    const uint32_t *index;   /* [place], or NULL when a place is an index */
    const uint32_t *before;  /* [slice]: digits in the slices before, or NULL when all slices are full */
    const uint8_t *negated;
    size_t n;
    uint32_t zero;    /* the stored value of digit 0, and the number of buckets */
    size_t parts;     /* runs of slices, each with its own counters */
    uint32_t *counts; /* [part][bucket 0 .. zero], then where the part's entries go */
    uint32_t *starts; /* [bucket 1 .. zero + 1] - 1: first entry of each bucket */
    uint32_t *entries;
} sort_job;

/* The first slice of a part: parts have about as many digits each. */
static size_t part_begin(const sort_job *j, size_t part) {
    const size_t slices = (j->n + SLICE - 1) / SLICE;
    if (j->before == NULL) return slices * part / j->parts;
    const size_t wanted = (size_t)j->before[slices] * part / j->parts;
    size_t low = 0, high = slices; /* before[low] <= wanted */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (j->before[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    return part == 0 ? 0 : part == j->parts ? slices : low;
}

/* The places of a slice: their end, from slice * SLICE */
static size_t slice_end(const sort_job *j, size_t slice) {
    const size_t from = slice * SLICE;
    if (j->before != NULL) return from + j->before[slice + 1] - j->before[slice];
    return from + SLICE < j->n ? from + SLICE : j->n;
}

static void count_part(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const sort_job *j = context;
    for (size_t part = begin; part < end; part++) {
        uint32_t *counts = j->counts + part * ((size_t)j->zero + 1);
        memset(counts, 0, ((size_t)j->zero + 1) * sizeof *counts);
        const size_t last = part_begin(j, part + 1);
        for (size_t slice = part_begin(j, part); slice < last; slice++) {
            const size_t to = slice_end(j, slice);
            for (size_t i = slice * SLICE; i < to; i++) counts[magnitude(j->digits[i], j->zero)]++;
        }
    }
}

static void scatter_part(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const sort_job *j = context;
    for (size_t part = begin; part < end; part++) {
        uint32_t *next = j->counts + part * ((size_t)j->zero + 1);
        const size_t last = part_begin(j, part + 1);
        for (size_t slice = part_begin(j, part); slice < last; slice++) {
            const size_t to = slice_end(j, slice);
            for (size_t i = slice * SLICE; i < to; i++) {
                const uint32_t stored = j->digits[i];
                if (stored == j->zero) continue;
                const uint32_t index = j->index == NULL ? (uint32_t)i : j->index[i];
                const uint32_t negative = (stored < j->zero) ^ j->negated[index];
                j->entries[next[magnitude(stored, j->zero)]++] = index | negative << 31;
            }
        }
    }
}

/* Fills starts and entries; the number of entries. */
static size_t sort_window(const zkr_engine *engine, sort_job *j) {
    zkr_parallel_for(engine->threads, j->parts, 1, count_part, j);
    uint32_t at = 0;
    for (uint32_t b = 1; b <= j->zero; b++) {
        j->starts[b - 1] = at;
        for (size_t part = 0; part < j->parts; part++) {
            uint32_t *count = j->counts + part * ((size_t)j->zero + 1) + b;
            const uint32_t here = *count;
            *count = at;
            at += here;
        }
    }
    j->starts[j->zero] = at;
    if (at > 0) zkr_parallel_for(engine->threads, j->parts, 1, scatter_part, j);
    return at;
}

/* The bucket (from 0) whose run holds entry `at`: the last one that starts at or before it and is
 * not empty. */
static uint32_t bucket_at(const uint32_t *starts, uint32_t buckets, uint32_t at) {
    uint32_t low = 0, high = buckets; /* starts[low] <= at < starts[high] */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (starts[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- the two groups -------------------------------------------------------------------------- */

#define N(name) ZKR_PASTE(name, _g1)
#define G(name) ZKR_PASTE(g1_, name)
#define K g1
#define FE zkr_fe
#define POINT zkr_g1
#define XYZZ zkr_g1_xyzz
#define BLOCK 8192
#include "msm_group.inc.h"
#undef N
#undef G
#undef K
#undef FE
#undef POINT
#undef XYZZ
#undef BLOCK

#define N(name) ZKR_PASTE(name, _g2)
#define G(name) ZKR_PASTE(g2_, name)
#define K g2
#define FE zkr_fe2
#define POINT zkr_g2
#define XYZZ zkr_g2_xyzz
#define BLOCK 2048
#include "msm_group.inc.h"
