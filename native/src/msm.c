/* msm.c: multi-scalar multiplication in G1 and G2, several sums over the same scalars at once.
 *
 * Pippenger's bucket method with signed digits, over sorted buckets:
 *  1. every scalar becomes k or r - k, whichever is smaller, and is cut into signed digits of c bits;
 *     0, 1, -1 and other small scalars are set apart: they take part in the lowest window only, with
 *     one addition or none;
 *  2. for each window, the indices of the scalars with a nonzero digit are sorted by bucket (counting);
 *  3. the sorted list is cut into blocks of equal size, whatever the buckets in them, and each block
 *     gathers its points and sums each bucket's run by batch-affine additions (kernel sum_entries).
 *     A bucket that goes on into further blocks leaves partial sums there, which a last small
 *     sum_segments joins. So one enormous bucket (all scalars equal) is as parallel as many;
 *  4. sum of b * bucket[b]: the buckets stand in a table whose rows and columns are summed by the same
 *     kernel, and the few sums are weighed one by one.
 * Sums over the same scalars share 1 and 2; one that lacks bases for some of the scalars passes over these
 * while it gathers.
 *
 * A thread takes a whole window; those that find no window left join the loops inside the others' windows
 * (threads.h), so that all are busy to the end.
 */
#include "msm.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "pages.h"
#include "threads.h"

#define MIN_WINDOW ZKR_MIN_WINDOW
#define MAX_WINDOW ZKR_MAX_WINDOW
#define MAX_WINDOWS (253 / MIN_WINDOW + 1)
#define MAX_WIDTH (1 << (MAX_WINDOW / 2))
#define SAMPLE 4096
#define SLICE 2048 /* scalars cut into digits at a time */
#define FEW 128    /* below that many scalars, no buckets */
enum { block_g1 = 8192, block_g2 = 2048 };


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

/* Nanoseconds in G1 and G2 of a digit that is not zero, its sorting and addition, and of a bucket, two
 * additions and its share of the weighing: as benches/msm.py --fit found them (Zen 4, one thread, 2^12 to
 * 2^18 points; it is within 20 %). Only their ratios matter here.
 *
 * What the model says of other ways, for IFMA. Windows of 17 bits would gain 1 % at 2^20 scalars, of 18
 * nothing, at the price of digits of 32 bits. Splitting scalars by the endomorphism x -> beta x (GLV)
 * leaves the number of digits and halves the buckets: that is 3 % of an MSM of 2^20 and 5 % of one of 2^16;
 * but every other digit then takes one product more on its way into a bucket, 6 %. In G2, where buckets are
 * a larger share, it would gain 1 % of a proof. Neither was built. */
static const struct {
    const char *path;
    double digit[2], bucket[2];
} costs[] = {{"ifma", {28.8, 68.2}, {54.6, 96.1}},
             {"adx", {98.7, 256.5}, {100.2, 196.8}},
             {"portable", {131.8, 361.0}, {131.1, 269.5}}};

/* The window size of least cost for all the batch's sums. */
static unsigned choose_window(const zkr_kernels *k, const zkr_msm_batch *batch) {
    const scalar_profile p = profile(k, batch->scalars, batch->n);
    size_t path = 0;
    while (path + 1 < sizeof costs / sizeof *costs && strcmp(costs[path].path, k->name) != 0) path++;
    double best = 0;
    unsigned best_c = 0;
    for (unsigned c = MIN_WINDOW; c <= MAX_WINDOW; c++) {
        const double digits = p.bits / c + 0.5 * p.nonzero;
        const double buckets = (double)num_windows(c) * (double)((size_t)1 << (c - 1));
        double cost = 0;
        for (unsigned s = 0; s < batch->num_sums; s++) {
            const zkr_msm_sum *sum = &batch->sums[s];
            const double share = (double)sum->count / (double)batch->n;
            const int group = sum->coordinates == 4;
            cost += costs[path].digit[group] * digits * share + costs[path].bucket[group] * buckets;
        }
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
static size_t sort_window(uint32_t threads, sort_job *j) {
    zkr_parallel_for(threads, j->parts, 1, count_part, j);
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
    if (at > 0) zkr_parallel_for(threads, j->parts, 1, scatter_part, j);
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

/* ---- all windows ----------------------------------------------------------------------------- */

/* What a thread needs inside a loop of a window */
typedef struct {
    void *points;  /* BLOCK of the group's */
    void *scratch; /* BLOCK of its field's elements */
    uint32_t *entries, *lengths, *places, *bucket_of;
} leaf;

/* What a thread needs for a window of its own */
typedef struct {
    uint32_t *entries, *counts, *starts, *head_bucket;
    void *buckets, *heads, *lines;
} slot;

typedef struct {
    const zkr_kernels *k;
    uint32_t threads;
    zkr_msm_batch *batch;
    digits_job d;
    size_t parts;
    leaf *leaves; /* [thread], filled when a thread first needs it */
    slot *slots;  /* [thread], likewise */
    void *sums;   /* [sum][window] zkr_g1_xyzz or zkr_g2_xyzz, each as long as the latter */
    _Atomic bool *no_memory;
} many_job;

static const leaf *leaf_here(const many_job *j) {
    leaf *const mine = &j->leaves[zkr_thread_number()];
    if (mine->points != NULL) return mine;
    const size_t points = block_g1 * sizeof(zkr_g1), scratch = block_g1 * sizeof(zkr_fe), words = block_g1 * sizeof(uint32_t);
    char *memory = zkr_pages_alloc(points + scratch + 4 * words);
    if (memory == NULL) {
        atomic_store(j->no_memory, true);
        return NULL;
    }
    mine->scratch = memory + points;
    mine->entries = (uint32_t *)(void *)(memory + points + scratch);
    mine->lengths = mine->entries + block_g1;
    mine->places = mine->lengths + block_g1;
    mine->bucket_of = mine->places + block_g1;
    mine->points = memory;
    return mine;
}

static const slot *slot_here(const many_job *j) {
    slot *const mine = &j->slots[zkr_thread_number()];
    if (mine->entries != NULL) return mine;
    const size_t n = j->batch->n, buckets = (size_t)1 << (j->d.c - 1);
    size_t point = sizeof(zkr_g1), block = block_g1;
    for (unsigned s = 0; s < j->batch->num_sums; s++)
        if (j->batch->sums[s].coordinates == 4) point = sizeof(zkr_g2), block = block_g2;
    const size_t blocks = (n + block - 1) / block;
    mine->buckets = zkr_pages_alloc(buckets * point);
    mine->counts = malloc(j->parts * (buckets + 1) * sizeof *mine->counts);
    mine->starts = malloc((buckets + 1) * sizeof *mine->starts);
    mine->heads = malloc(blocks * point);
    mine->head_bucket = malloc(blocks * sizeof *mine->head_bucket);
    mine->lines = malloc(2 * MAX_WIDTH * point);
    if (mine->buckets != NULL && mine->counts != NULL && mine->starts != NULL && mine->heads != NULL &&
        mine->head_bucket != NULL && mine->lines != NULL)
        mine->entries = zkr_pages_alloc(n * sizeof *mine->entries);
    if (mine->entries == NULL) {
        atomic_store(j->no_memory, true);
        return NULL;
    }
    return mine;
}

static void free_slot(slot *s) {
    free(s->entries);
    free(s->counts);
    free(s->starts);
    free(s->head_bucket);
    free(s->buckets);
    free(s->heads);
    free(s->lines);
}

#define BLOCK N(block)
#define GROUP_BODY "msm_group.inc.h"
#include "groups.inc.h"

static void *window_sum(const many_job *j, unsigned sum, unsigned window) {
    return (zkr_g2_xyzz *)j->sums + (size_t)sum * j->d.windows + window;
}

static void run_window(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const many_job *j = context;
    for (unsigned w = (unsigned)begin; w < end; w++) {
        const slot *const here = slot_here(j);
        if (here == NULL) return;
        sort_job sort = {.digits = j->d.digits + (size_t)w * j->d.n,
                         .index = w == 0 ? NULL : j->d.long_index,
                         .before = w == 0 ? NULL : j->d.long_before,
                         .negated = j->d.negated,
                         .n = j->d.n,
                         .zero = 1u << (j->d.c - 1),
                         .parts = j->parts,
                         .counts = here->counts,
                         .starts = here->starts,
                         .entries = here->entries};
        const size_t num_entries = sort_window(j->threads, &sort);
        for (unsigned s = 0; s < j->batch->num_sums; s++) {
            const zkr_msm_sum *sum = &j->batch->sums[s];
            if (sum->coordinates == 2)
                sum_window_g1(j, here, &sort, num_entries, sum, window_sum(j, s, w));
            else
                sum_window_g2(j, here, &sort, num_entries, sum, window_sum(j, s, w));
        }
    }
}

static void join_windows(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const many_job *j = context;
    for (unsigned s = (unsigned)begin; s < end; s++) {
        zkr_msm_sum *sum = &j->batch->sums[s];
        if (sum->coordinates == 2) {
            /* their places are as far apart as G2's */
            zkr_g1_xyzz sums[MAX_WINDOWS];
            for (unsigned w = 0; w < j->d.windows; w++) memcpy(&sums[w], window_sum(j, s, w), sizeof sums[w]);
            join_windows_g1(&sum->out.g1, sums, j->d.windows, j->d.c);
        } else {
            join_windows_g2(&sum->out.g2, window_sum(j, s, 0), j->d.windows, j->d.c);
        }
    }
}

static int run_many(const zkr_engine *engine, zkr_msm_batch *batch) {
    const size_t n = batch->n, slices = (n + SLICE - 1) / SLICE, threads = engine->threads;
    _Atomic bool no_memory = false;
    many_job j = {.k = engine->k, .threads = engine->threads, .batch = batch, .no_memory = &no_memory};
    digits_job *d = &j.d;
    *d = (digits_job){.k = engine->k, .scalars = batch->scalars, .n = n};
    d->c = engine->msm_window != 0 ? engine->msm_window : choose_window(engine->k, batch);
    d->windows = num_windows(d->c);
    digit_bias(&d->bias, d->c);
    j.parts = threads < n / 8192 + 1 ? threads : n / 8192 + 1;
    if (j.parts > 8) j.parts = 8;

    d->digits = zkr_pages_alloc((size_t)d->windows * n * sizeof *d->digits);
    d->negated = malloc(n);
    d->long_index = malloc(n * sizeof *d->long_index);
    d->long_before = malloc((slices + 1) * sizeof *d->long_before);
    j.leaves = calloc(threads, sizeof *j.leaves);
    j.slots = calloc(threads, sizeof *j.slots);
    j.sums = malloc((size_t)batch->num_sums * d->windows * sizeof(zkr_g2_xyzz));
    int status = ZKR_NOMEM;
    if (d->digits != NULL && d->negated != NULL && d->long_index != NULL && d->long_before != NULL &&
        j.leaves != NULL && j.slots != NULL && j.sums != NULL) {
        zkr_parallel_for(engine->threads, slices, 1, digits_slice, d);
        count_before(d);
        zkr_parallel_for(engine->threads, d->windows, 1, run_window, &j);
        if (!atomic_load(&no_memory)) {
            zkr_parallel_for(engine->threads, batch->num_sums, 1, join_windows, &j);
            status = ZKR_OK;
        }
    }
    for (size_t i = 0; i < threads && j.leaves != NULL; i++) free(j.leaves[i].points);
    for (size_t i = 0; i < threads && j.slots != NULL; i++) free_slot(&j.slots[i]);
    free(j.leaves);
    free(j.slots);
    free(j.sums);
    free(d->digits);
    free(d->negated);
    free(d->long_index);
    free(d->long_before);
    return status;
}

int zkr_msm_run(const zkr_engine *engine, zkr_msm_batch *batch) {
    if (batch->n > INT32_MAX) return ZKR_BADARGS;
    for (unsigned s = 0; s < batch->num_sums; s++) {
        zkr_msm_sum *sum = &batch->sums[s];
        sum->n = batch->n;
        if (sum->taken == NULL) sum->count = batch->n - (sum->first < batch->n ? sum->first : batch->n);
    }
    if (batch->num_sums == 0) return ZKR_OK;
    if (batch->n >= FEW) return run_many(engine, batch);
    for (unsigned s = 0; s < batch->num_sums; s++) {
        zkr_msm_sum *sum = &batch->sums[s];
        if (sum->coordinates == 2)
            sum_few_g1(engine->k, &sum->out.g1, sum, batch->scalars, batch->n);
        else
            sum_few_g2(engine->k, &sum->out.g2, sum, batch->scalars, batch->n);
    }
    return ZKR_OK;
}
