/* msm_group.inc.h: MSM and fixed base of one group, included by msm.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ, BLOCK (entries a thread
 * sums at a time: points and scratch stay in the second-level cache), CHUNK (fixed-base results that
 * share an inversion). */

/* ---- accumulation of one window ---- */

typedef struct {
    const zkr_kernels *k;
    const POINT *bases;
    const uint32_t *entries, *starts;
    size_t num_entries;
    uint32_t num_buckets;
    POINT *buckets;
    POINT *heads;          /* [block] partial sum of a bucket begun in an earlier block */
    uint32_t *head_bucket; /* [block] that bucket, or UINT32_MAX */
    POINT *points;         /* [worker][BLOCK] */
    FE *scratch;           /* [worker][BLOCK] */
    uint32_t *lengths;     /* [worker][BLOCK] */
    uint32_t *places;      /* [worker][BLOCK] */
} N(bucket_job);

static void N(sum_blocks)(void *context, size_t begin, size_t end, unsigned worker) {
    N(bucket_job) *j = context;
    POINT *points = j->points + (size_t)worker * BLOCK;
    FE *scratch = j->scratch + (size_t)worker * BLOCK;
    uint32_t *lengths = j->lengths + (size_t)worker * BLOCK;
    for (size_t block = begin; block < end; block++) {
        const size_t from = block * BLOCK;
        const size_t to = from + BLOCK < j->num_entries ? from + BLOCK : j->num_entries;
        const uint32_t first = bucket_at(j->starts, j->num_buckets, (uint32_t)from);
        uint32_t segments = 0;
        for (uint32_t b = first; b < j->num_buckets && j->starts[b] < to; b++) {
            const size_t low = j->starts[b] > from ? j->starts[b] : from;
            const size_t high = j->starts[b + 1] < to ? j->starts[b + 1] : to;
            if (high > low) lengths[segments++] = (uint32_t)(high - low);
        }
        j->k->K.sum_entries(points, j->bases, j->entries + from, lengths, segments,
                            j->places + (size_t)worker * BLOCK, scratch);
        uint32_t s = 0;
        j->head_bucket[block] = UINT32_MAX;
        if (j->starts[first] < from) {
            j->head_bucket[block] = first;
            j->heads[block] = points[s++];
        }
        for (uint32_t b = first; s < segments; b++)
            if (j->starts[b] >= from && j->starts[b + 1] > j->starts[b]) j->buckets[b] = points[s++];
    }
}

/* Adds the heads to their buckets. Heads of one bucket are neighbours; a bucket's own first part is
 * already in place. Uses worker 0's memory, in rounds when there are more heads than fit. */
static void N(join_heads)(N(bucket_job) *j) {
    const size_t blocks = (j->num_entries + BLOCK - 1) / BLOCK;
    size_t block = 0;
    while (block < blocks) {
        uint32_t segments = 0, used = 0;
        const size_t round_start = block;
        for (; block < blocks && used + 2 <= BLOCK; block++) {
            const uint32_t b = j->head_bucket[block];
            if (b == UINT32_MAX) continue;
            const bool same = segments > 0 && j->head_bucket[block - 1] == b && block > round_start;
            if (!same) {
                j->lengths[segments++] = 1;
                j->points[used++] = j->buckets[b];
            }
            j->lengths[segments - 1]++;
            j->points[used++] = j->heads[block];
        }
        j->k->K.sum_segments(j->points, j->lengths, segments, j->scratch);
        uint32_t s = 0;
        for (size_t i = round_start; i < block; i++) {
            const uint32_t b = j->head_bucket[i];
            if (b == UINT32_MAX) continue;
            if (i == round_start || j->head_bucket[i - 1] != b) j->buckets[b] = j->points[s++];
        }
    }
}

/* ---- sum of (b + 1) * buckets[b] ---- */

typedef struct {
    const zkr_kernels *k;
    const POINT *buckets;
    uint32_t lanes, steps; /* lanes * steps buckets, steps a power of two */
    uint32_t task_lanes;   /* lanes of one task, at most LANES */
    POINT *lane_memory;                 /* [worker][3][LANES]: R, T, gathered */
    FE *scratch;                        /* [worker][LANES], for the kernel */
    uint32_t *indices;                  /* [worker][LANES] */
    XYZZ *partial;                      /* [task] */
} N(reduce_job);

/* Lane l holds buckets l * steps .. (l + 1) * steps - 1. Stepping down through them, R += bucket and
 * T += R leave R = sum of the lane and T = sum of (place in the lane + 1) * bucket. */
static void N(reduce_lanes)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(reduce_job) *j = context;
    POINT *r = j->lane_memory + (size_t)worker * 3 * LANES, *t = r + LANES, *gathered = t + LANES;
    FE *scratch = j->scratch + (size_t)worker * LANES;
    uint32_t *indices = j->indices + (size_t)worker * LANES;
    for (size_t task = begin; task < end; task++) {
        const uint32_t low = (uint32_t)task * j->task_lanes;
        const uint32_t count = j->lanes - low < j->task_lanes ? j->lanes - low : j->task_lanes;
        for (uint32_t l = 0; l < count; l++) indices[l] = (low + l) * j->steps + j->steps - 1;
        j->k->K.gather(r, j->buckets, indices, count);
        memcpy(t, r, count * sizeof *t);
        for (uint32_t step = 1; step < j->steps; step++) {
            for (uint32_t l = 0; l < count; l++) indices[l]--;
            j->k->K.gather(gathered, j->buckets, indices, count);
            j->k->K.add(r, r, gathered, count, scratch);
            j->k->K.add(t, t, r, count, scratch);
        }
        /* sum over the task = sum T + steps * sum (low + l) R_l; weighted_sum gives sum (l + 1) R_l and
         * sum R_l, so the second term is steps * (weighted + (low - 1) * total). With one step T = R,
         * and both terms together are weighted + low * total. */
        XYZZ weighted, total, sum, unused;
        j->k->K.weighted_sum(&weighted, &total, r, count);
        if (j->steps == 1) {
            G(small_multiple)(&sum, &total, low);
            G(add)(&sum, &weighted);
        } else {
            j->k->K.weighted_sum(&unused, &sum, t, count);
            XYZZ shift;
            G(small_multiple)(&shift, &total, low == 0 ? 1 : low - 1);
            if (low == 0) G(negate)(&shift);
            G(add)(&weighted, &shift);
            for (uint32_t s = 1; s < j->steps; s *= 2) G(double)(&weighted);
            G(add)(&sum, &weighted);
        }
        j->partial[task] = sum;
    }
}

/* ---- all windows ---- */

static int N(msm_many)(const zkr_engine *engine, POINT *out, const POINT *bases, const zkr_fe *scalars, size_t n) {
    const zkr_kernels *k = engine->k;
    digits_job d = {.k = k, .scalars = scalars, .n = n};
    d.c = choose_window(profile(k, scalars, n));
    d.windows = num_windows(d.c);
    digit_bias(&d.bias, d.c);

    const uint32_t buckets = 1u << (d.c - 1);
    const size_t threads = engine->threads, blocks = (n + BLOCK - 1) / BLOCK;
    const uint32_t steps = buckets >= 32768 ? 16 : buckets >= 4096 ? 8 : 1;
    const uint32_t lanes = buckets / steps;
    uint32_t task_lanes = lanes / engine->threads + (lanes % engine->threads != 0);
    if (task_lanes < 64) task_lanes = 64;
    if (task_lanes > LANES) task_lanes = LANES;
    const size_t tasks = (lanes + task_lanes - 1) / task_lanes;
    const size_t parts = threads < n / 1024 + 1 ? threads : n / 1024 + 1;

    int status = ZKR_NOMEM;
    N(bucket_job) b = {.k = k, .bases = bases, .num_buckets = buckets};
    N(reduce_job) red = {.k = k, .lanes = lanes, .steps = steps, .task_lanes = task_lanes};
    sort_job sort = {.n = n, .zero = buckets, .parts = parts};
    d.digits = malloc((size_t)d.windows * n * sizeof *d.digits);
    d.negated = malloc(n);
    sort.entries = malloc(n * sizeof *sort.entries);
    sort.counts = malloc(parts * ((size_t)buckets + 1) * sizeof *sort.counts);
    sort.starts = malloc(((size_t)buckets + 1) * sizeof *sort.starts);
    b.buckets = malloc(buckets * sizeof *b.buckets);
    b.heads = malloc(blocks * sizeof *b.heads);
    b.head_bucket = malloc(blocks * sizeof *b.head_bucket);
    b.points = aligned_alloc(64, threads * BLOCK * sizeof *b.points);
    b.scratch = aligned_alloc(64, threads * BLOCK * sizeof *b.scratch);
    b.lengths = malloc(threads * BLOCK * sizeof *b.lengths);
    b.places = malloc(threads * BLOCK * sizeof *b.places);
    red.lane_memory = malloc(threads * 3 * LANES * sizeof *red.lane_memory);
    red.partial = malloc(tasks * sizeof *red.partial);
    if (d.digits == NULL || d.negated == NULL || sort.entries == NULL || sort.counts == NULL || sort.starts == NULL ||
        b.buckets == NULL || b.heads == NULL || b.head_bucket == NULL || b.points == NULL || b.scratch == NULL ||
        b.lengths == NULL || b.places == NULL || red.lane_memory == NULL || red.partial == NULL)
        goto done;
    red.scratch = b.scratch; /* not used at the same time */
    red.indices = b.lengths;
    red.buckets = b.buckets;
    b.entries = sort.entries;
    b.starts = sort.starts;
    sort.negated = d.negated;

    zkr_parallel_for(engine->threads, n, 2048, digits_slice, &d);
    XYZZ acc;
    G(set_infinity)(&acc);
    for (unsigned w = d.windows; w-- > 0;) {
        for (unsigned i = 0; i < d.c; i++) G(double)(&acc);
        sort.digits = d.digits + (size_t)w * n;
        b.num_entries = sort_window(engine, &sort);
        if (b.num_entries == 0) continue;
        memset(b.buckets, 0, buckets * sizeof *b.buckets);
        zkr_parallel_for(engine->threads, (b.num_entries + BLOCK - 1) / BLOCK, 1, N(sum_blocks), &b);
        N(join_heads)(&b);
        zkr_parallel_for(engine->threads, tasks, 1, N(reduce_lanes), &red);
        for (size_t t = 0; t < tasks; t++) G(add)(&acc, &red.partial[t]);
    }
    G(to_affine)(out, &acc);
    status = ZKR_OK;
done:
    free(d.digits);
    free(d.negated);
    free(sort.entries);
    free(sort.counts);
    free(sort.starts);
    free(b.buckets);
    free(b.heads);
    free(b.head_bucket);
    free(b.points);
    free(b.scratch);
    free(b.lengths);
    free(b.places);
    free(red.lane_memory);
    free(red.partial);
    return status;
}

int N(zkr_msm)(const zkr_engine *engine, POINT *out, const POINT *bases, const zkr_fe *scalars, size_t n) {
    if (n > INT32_MAX) return ZKR_BADARGS;
    if (n >= 128) return N(msm_many)(engine, out, bases, scalars, n);
    zkr_fe plain[128];
    XYZZ sum;
    engine->k->fr.from_mont(plain, scalars, n);
    engine->k->K.msm_few(&sum, bases, plain, n);
    G(to_affine)(out, &sum);
    return ZKR_OK;
}

/* ---- fixed base ---- */

typedef struct {
    const zkr_kernels *k;
    const zkr_fe *scalars;
    POINT *out;
    POINT *table; /* [window][d - 1] */
    unsigned c, windows;
    zkr_fe bias;
    POINT *points;     /* [worker][CHUNK] */
    FE *scratch;       /* [worker][max(CHUNK, 2^(c-2))] */
    size_t scratch_size;
    zkr_fe *plain;     /* [worker][CHUNK] */
    uint32_t *entries; /* [worker][CHUNK] */
} N(fixed_job);

/* Fills one window's table from its first entry, by doubling its length: (d + k) P = d P + k P. */
static void N(fixed_table)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(fixed_job) *j = context;
    FE *scratch = j->scratch + (size_t)worker * j->scratch_size;
    POINT *points = j->points + (size_t)worker * CHUNK;
    for (size_t w = begin; w < end; w++) {
        POINT *row = j->table + w * ((size_t)1 << (j->c - 1));
        for (size_t have = 1; have < (size_t)1 << (j->c - 1); have *= 2) {
            const size_t step = have < CHUNK ? have : CHUNK;
            for (size_t i = 0; i < step; i++) points[i] = row[have - 1];
            for (size_t at = 0; at < have; at += step)
                j->k->K.add(row + have + at, row + at, points, step, scratch);
        }
    }
}

static void N(fixed_chunk)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(fixed_job) *j = context;
    POINT *points = j->points + (size_t)worker * CHUNK;
    FE *scratch = j->scratch + (size_t)worker * j->scratch_size;
    zkr_fe *plain = j->plain + (size_t)worker * CHUNK;
    uint32_t *entries = j->entries + (size_t)worker * CHUNK;
    uint8_t negated[CHUNK];
    const uint32_t half = 1u << (j->c - 1);
    const size_t n = end - begin;
    POINT *acc = j->out + begin;
    j->k->fr.from_mont(plain, j->scalars + begin, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t carry = 0;
        negated[i] = halve_range(&plain[i]);
        for (int l = 0; l < 4; l++) plain[i].l[l] = zkr_adc(plain[i].l[l], j->bias.l[l], &carry);
    }
    memset(acc, 0, n * sizeof *acc);
    for (unsigned w = 0; w < j->windows; w++) {
        const uint32_t add = w + 1 == j->windows ? half : 0;
        const uint32_t row = w * half;
        size_t zeros = 0;
        for (size_t i = 0; i < n; i++) {
            const uint32_t stored = window_of(&plain[i], w, j->c) + add;
            const uint32_t negative = (stored < half) ^ negated[i];
            const uint32_t m = magnitude(stored, half);
            zeros += m == 0;
            /* entry `windows * half` of the table is infinity */
            entries[i] = m == 0 ? j->windows * half : (row + m - 1) | negative << 31;
        }
        if (zeros == n) continue;
        if (w == 0) {
            j->k->K.gather(acc, j->table, entries, n);
        } else {
            j->k->K.gather(points, j->table, entries, n);
            j->k->K.add(acc, acc, points, n, scratch);
        }
    }
    zkr_wipe(plain, n * sizeof *plain); /* a setup's scalars are secret */
}

static unsigned N(fixed_window)(size_t n) {
    double best = 0;
    unsigned best_c = 0;
    for (unsigned c = 4; c <= 16; c++) {
        const double cost = (double)num_windows(c) * ((double)n + (double)((size_t)1 << (c - 1)));
        if (best_c == 0 || cost < best) {
            best = cost;
            best_c = c;
        }
    }
    return best_c;
}

int N(zkr_fixed_base)(const zkr_engine *engine, POINT *out, const POINT *base, const zkr_fe *scalars, size_t n) {
    if (n > INT32_MAX) return ZKR_BADARGS;
    if (n == 0) return ZKR_OK;
    N(fixed_job) j = {.k = engine->k, .scalars = scalars, .out = out};
    j.c = N(fixed_window)(n);
    j.windows = num_windows(j.c);
    digit_bias(&j.bias, j.c);
    const size_t threads = engine->threads, half = (size_t)1 << (j.c - 1);
    j.scratch_size = CHUNK;
    j.table = aligned_alloc(64, ((size_t)j.windows * half + 1) * sizeof *j.table);
    j.points = aligned_alloc(64, threads * CHUNK * sizeof *j.points);
    j.scratch = malloc(threads * j.scratch_size * sizeof *j.scratch);
    j.plain = malloc(threads * CHUNK * sizeof *j.plain);
    j.entries = malloc(threads * CHUNK * sizeof *j.entries);
    int status = ZKR_NOMEM;
    if (j.table != NULL && j.points != NULL && j.scratch != NULL && j.plain != NULL && j.entries != NULL) {
        XYZZ power;
        G(from_affine)(&power, base);
        for (unsigned w = 0; w < j.windows; w++) {
            G(to_affine)(&j.table[w * half], &power);
            for (unsigned i = 0; i < j.c; i++) G(double)(&power);
        }
        memset(&j.table[j.windows * half], 0, sizeof *j.table);
        zkr_parallel_for(engine->threads, j.windows, 1, N(fixed_table), &j);
        zkr_parallel_for(engine->threads, n, CHUNK, N(fixed_chunk), &j);
        status = ZKR_OK;
    }
    free(j.table);
    free(j.points);
    free(j.scratch);
    free(j.plain);
    free(j.entries);
    return status;
}
