/* msm_group.inc.h: one window of a sum in one group, included by msm.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ, BLOCK (entries a thread
 * sums at a time: points and scratch stay in the second-level cache). */

/* ---- buckets ---- */

typedef struct {
    const many_job *job;
    const zkr_msm_sum *sum;
    const sort_job *sorted;
    size_t num_entries, span; /* entries a chunk looks at, a multiple of BLOCK */
    POINT *buckets;           /* of a bucket without entries, nothing is written */
    POINT *heads;             /* [BLOCK entries] partial sum of a bucket begun before a chunk's round */
    uint32_t *head_bucket;    /* [BLOCK entries] that bucket, or UINT32_MAX */
} N(bucket_job);

/* Takes entries from `at` on, at most to `to`, until BLOCK of them are of this sum. `picked` holds these,
 * places of bases instead of scalars, unless all entries are taken as they are. Fills lengths and bucket_of,
 * one for each bucket with entries here; those that begin here and turn out empty become infinity. Where it
 * ended. */
static size_t N(pick)(const N(bucket_job) *j, const leaf *mine, uint32_t *segments, size_t at, size_t to,
                      const uint32_t **picked) {
    const uint32_t *const entries = j->sorted->entries, *const starts = j->sorted->starts;
    const zkr_msm_sum *const sum = j->sum;
    const uint32_t num_buckets = j->sorted->zero;
    uint32_t b = bucket_at(starts, num_buckets, (uint32_t)at);
    const size_t stop = to - at < BLOCK ? to : at + BLOCK;
    bool all = sum->taken == NULL;
    *segments = 0;
    for (uint32_t c = b; all && c < num_buckets && starts[c] < stop; c++) {
        const size_t low = starts[c] > at ? starts[c] : at, high = starts[c + 1] < stop ? starts[c + 1] : stop;
        if (high <= low) continue;
        all = (entries[low] & 0x7fffffffu) >= sum->first; /* a bucket's entries ascend, but for the sign */
        mine->bucket_of[*segments] = c;
        mine->lengths[(*segments)++] = (uint32_t)(high - low);
    }
    if (all) {
        *picked = entries + at;
        return stop;
    }
    *segments = 0;
    uint32_t count = 0;
    for (; b < num_buckets && starts[b] < to; b++) {
        const size_t high = starts[b + 1] < to ? starts[b + 1] : to;
        const uint32_t before = count;
        size_t i = starts[b] > at ? starts[b] : at;
        if (i >= high) continue;
        for (; i < high && count < BLOCK; i++) {
            const uint32_t e = entries[i], index = e & 0x7fffffffu;
            uint32_t place = index - (uint32_t)sum->first, take = index >= sum->first;
            if (sum->taken != NULL) {
                const uint64_t word = sum->taken[index / 64], below = ((uint64_t)1 << (index % 64)) - 1;
                take &= (uint32_t)(word >> (index % 64)) & 1;
                if (sum->rank != NULL) place = sum->rank[index / 64] + (uint32_t)__builtin_popcountll(word & below);
            }
            mine->entries[count] = place | (e & 0x80000000u);
            count += take;
        }
        if (count > before) {
            mine->bucket_of[*segments] = b;
            mine->lengths[(*segments)++] = count - before;
        } else if (starts[b] >= at) {
            memset(&j->buckets[b], 0, sizeof *j->buckets);
        }
        if (i < high) {
            to = i;
            break;
        }
    }
    *picked = mine->entries;
    return to;
}

static void N(sum_blocks)(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const N(bucket_job) *j = context;
    const leaf *mine = leaf_here(j->job);
    if (mine == NULL) return;
    POINT *const points = mine->points;
    /* direct entries are places of scalars */
    const POINT *const shifted = (const POINT *)((uintptr_t)j->sum->bases - j->sum->first * sizeof(POINT));
    for (size_t chunk = begin; chunk < end; chunk++) {
        const size_t from = chunk * j->span, to = j->num_entries - from < j->span ? j->num_entries : from + j->span;
        size_t slot = from / BLOCK;
        for (size_t at = from; at < to; slot++) {
            const size_t round = at;
            const uint32_t *picked;
            uint32_t segments;
            at = N(pick)(j, mine, &segments, at, to, &picked);
            j->head_bucket[slot] = UINT32_MAX;
            if (segments == 0) continue;
            const POINT *bases = picked == mine->entries ? (const POINT *)j->sum->bases : shifted;
            j->job->k->K.sum_entries(points, bases, picked, mine->lengths, segments, mine->places, mine->scratch);
            uint32_t s = 0;
            if (j->sorted->starts[mine->bucket_of[0]] < round) {
                j->head_bucket[slot] = mine->bucket_of[0];
                j->heads[slot] = points[s++];
            }
            for (; s < segments; s++) j->buckets[mine->bucket_of[s]] = points[s];
        }
        for (; slot < (to + BLOCK - 1) / BLOCK; slot++) j->head_bucket[slot] = UINT32_MAX;
    }
}

/* Adds the heads to their buckets, whose own first parts are in place: in rounds when there are more heads
 * than fit. */
static void N(join_heads)(const N(bucket_job) *j, const leaf *mine) {
    const size_t slots = (j->num_entries + BLOCK - 1) / BLOCK;
    POINT *const points = mine->points;
    for (size_t slot = 0; slot < slots;) {
        uint32_t segments = 0, used = 0, last = UINT32_MAX;
        for (; slot < slots && used + 2 <= BLOCK; slot++) {
            const uint32_t b = j->head_bucket[slot];
            if (b == UINT32_MAX) continue;
            if (b != last) {
                mine->bucket_of[segments] = b;
                mine->lengths[segments++] = 1;
                points[used++] = j->buckets[b];
                last = b;
            }
            mine->lengths[segments - 1]++;
            points[used++] = j->heads[slot];
        }
        j->job->k->K.sum_segments(points, mine->lengths, segments, mine->scratch);
        for (uint32_t s = 0; s < segments; s++) j->buckets[mine->bucket_of[s]] = points[s];
    }
}

/* ---- sum of (b + 1) * buckets[b] ---- */

/* Bucket b stands at row b / width, column b % width of a table. With R and C the sums of its rows and
 * columns, sum (b + 1) bucket[b] = width * sum row R[row] + sum (column + 1) C[column]: two additions
 * a bucket, all of them independent like those that filled it, and two short weighted sums. */
typedef struct {
    const many_job *job;
    const POINT *buckets;
    const uint32_t *starts; /* a bucket that starts where the next one does is empty, and never written */
    bool thinned;           /* others may be infinite too */
    uint32_t rows, width;
    uint32_t tasks; /* for rows, and as many for columns */
    POINT *lines;   /* sums of rows, then of columns */
} N(lines_job);

static void N(sum_lines)(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const N(lines_job) *j = context;
    const leaf *mine = leaf_here(j->job);
    if (mine == NULL) return;
    POINT *const points = mine->points;
    for (size_t task = begin; task < end; task++) {
        const bool by_row = task < j->tasks;
        const uint32_t index = (uint32_t)task - (by_row ? 0 : j->tasks);
        const uint32_t all = by_row ? j->rows : j->width, length = by_row ? j->width : j->rows;
        const uint32_t low = (uint32_t)((uint64_t)all * index / j->tasks);
        const uint32_t high = (uint32_t)((uint64_t)all * (index + 1) / j->tasks);
        POINT *lines = j->lines + (by_row ? 0 : j->rows);
        bool filled[MAX_WIDTH]; /* as long as a row or a column */
        uint32_t count = 0, segments = 0;
        for (uint32_t line = low; line < high; line++) {
            const uint32_t before = count;
            for (uint32_t i = 0; i < length; i++) {
                const uint32_t b = by_row ? line * j->width + i : i * j->width + line;
                mine->entries[count] = b;
                count += j->starts[b + 1] != j->starts[b] && !(j->thinned && G(is_infinity)(&j->buckets[b]));
            }
            filled[line - low] = count > before;
            if (count > before) mine->lengths[segments++] = count - before;
        }
        j->job->k->K.sum_entries(points, j->buckets, mine->entries, mine->lengths, segments, mine->places,
                                 mine->scratch);
        uint32_t s = 0;
        for (uint32_t line = low; line < high; line++) {
            if (filled[line - low])
                lines[line] = points[s++];
            else
                memset(&lines[line], 0, sizeof *lines);
        }
    }
}

/* ---- one window ---- */

/* *out = the window's sum of digit * base */
static void N(sum_window)(const many_job *job, const slot *here, const sort_job *sorted, size_t num_entries,
                          const zkr_msm_sum *sum, XYZZ *out) {
    const uint32_t buckets = sorted->zero, rows = 1u << ((job->d.c - 1) / 2), width = buckets / rows;
    const size_t thin = sum->taken == NULL || sum->count >= sum->n ? 1 : sum->n / (sum->count + 1);
    N(bucket_job) b = {.job = job, .sum = sum, .sorted = sorted, .num_entries = num_entries,
                       .span = BLOCK * (thin < 1 ? 1 : thin > 8 ? 8 : thin), .buckets = here->buckets,
                       .heads = here->heads, .head_bucket = here->head_bucket};
    G(set_infinity)(out);
    if (num_entries == 0) return;
    zkr_parallel_for(job->threads, (num_entries + b.span - 1) / b.span, 1, N(sum_blocks), &b);
    const leaf *const mine = leaf_here(job);
    if (mine == NULL) return;
    N(join_heads)(&b, mine);
    /* no more buckets a task than BLOCK, and a task a thread for rows and for columns if each has enough */
    uint32_t tasks = (buckets + BLOCK - 1) / BLOCK;
    while (tasks < job->threads && buckets / tasks >= 1024) tasks *= 2;
    if (tasks > rows) tasks = rows;
    N(lines_job) lines = {.job = job, .buckets = b.buckets, .starts = sorted->starts, .rows = rows, .width = width,
                          .thinned = sum->taken != NULL || sum->first > 0, .tasks = tasks, .lines = here->lines};
    zkr_parallel_for(job->threads, 2 * (size_t)tasks, 1, N(sum_lines), &lines);
    XYZZ total, columns;
    job->k->K.weighted_sum(out, &total, lines.lines + 1, rows - 1);
    for (uint32_t i = 1; i < width; i *= 2) G(double)(out);
    job->k->K.weighted_sum(&columns, &total, lines.lines + rows, width);
    G(add)(out, &columns);
}

/* *out = sum 2^(cw) sums[w] */
static void N(join_windows)(POINT *out, const XYZZ *sums, unsigned windows, unsigned c) {
    XYZZ acc;
    G(set_infinity)(&acc);
    for (unsigned w = windows; w-- > 0;) {
        for (unsigned i = 0; i < c; i++) G(double)(&acc);
        G(add)(&acc, &sums[w]);
    }
    G(to_affine)(out, &acc);
}

/* ---- few scalars ---- */

static void N(sum_few)(const zkr_kernels *k, POINT *out, const zkr_msm_sum *sum, const zkr_fe *scalars, size_t n) {
    zkr_fe plain[FEW];
    POINT bases[FEW];
    size_t count = 0;
    XYZZ acc;
    for (size_t i = sum->first; i < n; i++) {
        size_t place = i - sum->first;
        if (sum->taken != NULL) {
            const uint64_t word = sum->taken[i / 64], bit = (uint64_t)1 << (i % 64);
            if ((word & bit) == 0) continue;
            if (sum->rank != NULL) place = sum->rank[i / 64] + (size_t)__builtin_popcountll(word & (bit - 1));
        }
        memcpy(&bases[count], (const char *)sum->bases + place * sizeof(POINT), sizeof(POINT));
        plain[count++] = scalars[i];
    }
    k->fr.from_mont(plain, plain, count);
    k->K.msm_few(&acc, bases, plain, count);
    G(to_affine)(out, &acc);
}

int N(zkr_msm)(const zkr_engine *engine, POINT *out, const POINT *bases, const zkr_fe *scalars, size_t n) {
    zkr_msm_sum sum = {.coordinates = sizeof(POINT) / sizeof(zkr_fe), .bases = bases};
    zkr_msm_batch batch = {.scalars = scalars, .n = n, .sums = &sum, .num_sums = 1};
    const int status = zkr_msm_run(engine, &batch);
    if (status == ZKR_OK) memcpy(out, &sum.out, sizeof *out);
    return status;
}
