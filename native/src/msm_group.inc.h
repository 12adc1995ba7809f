/* msm_group.inc.h: MSM of one group, included by msm.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ, BLOCK (entries a thread
 * sums at a time: points and scratch stay in the second-level cache). */

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

/* Bucket b stands at row b / width, column b % width of a table. With R and C the sums of its rows and
 * columns, sum (b + 1) bucket[b] = width * sum row R[row] + sum (column + 1) C[column]: two additions
 * a bucket, all of them independent like those that filled it, and two short weighted sums. */
typedef struct {
    const zkr_kernels *k;
    const POINT *buckets;
    const uint32_t *starts; /* a bucket that starts where the next one does is empty, and never written */
    uint32_t rows, width;
    uint32_t row_tasks, column_tasks;
    POINT *lines;      /* sums of rows, then of columns */
    POINT *points;     /* [worker][BLOCK] */
    FE *scratch;       /* [worker][BLOCK] */
    uint32_t *entries; /* [worker][BLOCK] */
    uint32_t *lengths; /* [worker][BLOCK] */
    uint32_t *places;  /* [worker][BLOCK] */
} N(lines_job);

static void N(sum_lines)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(lines_job) *j = context;
    POINT *points = j->points + (size_t)worker * BLOCK;
    uint32_t *entries = j->entries + (size_t)worker * BLOCK;
    uint32_t *lengths = j->lengths + (size_t)worker * BLOCK;
    for (size_t task = begin; task < end; task++) {
        const bool by_row = task < j->row_tasks;
        const uint32_t tasks = by_row ? j->row_tasks : j->column_tasks;
        const uint32_t index = (uint32_t)task - (by_row ? 0 : j->row_tasks);
        const uint32_t all = by_row ? j->rows : j->width, length = by_row ? j->width : j->rows;
        const uint32_t low = (uint32_t)((uint64_t)all * index / tasks);
        const uint32_t high = (uint32_t)((uint64_t)all * (index + 1) / tasks);
        POINT *lines = j->lines + (by_row ? 0 : j->rows);
        bool filled[1 << (MAX_WINDOW / 2)]; /* as long as a row or a column */
        uint32_t count = 0, segments = 0;
        for (uint32_t line = low; line < high; line++) {
            const uint32_t before = count;
            for (uint32_t i = 0; i < length; i++) {
                const uint32_t b = by_row ? line * j->width + i : i * j->width + line;
                entries[count] = b;
                count += j->starts[b + 1] != j->starts[b];
            }
            filled[line - low] = count > before;
            if (count > before) lengths[segments++] = count - before;
        }
        j->k->K.sum_entries(points, j->buckets, entries, lengths, segments, j->places + (size_t)worker * BLOCK,
                            j->scratch + (size_t)worker * BLOCK);
        uint32_t s = 0;
        for (uint32_t line = low; line < high; line++) {
            if (filled[line - low])
                lines[line] = points[s++];
            else
                memset(&lines[line], 0, sizeof *lines);
        }
    }
}

typedef struct {
    const zkr_kernels *k;
    const POINT *lines; /* [window][rows + width] */
    uint32_t rows, width;
    XYZZ *sums; /* [window][2]: of rows times their index, of columns times their index from one */
} N(weigh_job);

static void N(weigh_lines)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(weigh_job) *j = context;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const POINT *lines = j->lines + i / 2 * ((size_t)j->rows + j->width);
        XYZZ total;
        if (i % 2 == 0)
            j->k->K.weighted_sum(&j->sums[i], &total, lines + 1, j->rows - 1);
        else
            j->k->K.weighted_sum(&j->sums[i], &total, lines + j->rows, j->width);
    }
}

/* ---- all windows ---- */

static int N(msm_many)(const zkr_engine *engine, POINT *out, const POINT *bases, const zkr_fe *scalars, size_t n) {
    const zkr_kernels *k = engine->k;
    digits_job d = {.k = k, .scalars = scalars, .n = n};
    d.c = choose_window(profile(k, scalars, n));
    d.windows = num_windows(d.c);
    digit_bias(&d.bias, d.c);

    const uint32_t buckets = 1u << (d.c - 1), rows = 1u << ((d.c - 1) / 2), width = buckets / rows;
    const size_t threads = engine->threads, blocks = (n + BLOCK - 1) / BLOCK, slices = (n + SLICE - 1) / SLICE;
    const size_t parts = threads < n / 1024 + 1 ? threads : n / 1024 + 1;
    /* no more buckets a task than BLOCK, and a task a thread for rows and for columns if each has enough */
    uint32_t tasks = (buckets + BLOCK - 1) / BLOCK;
    if (tasks < threads && buckets / threads >= 256) tasks = (uint32_t)threads;
    if (tasks > rows) tasks = rows;

    int status = ZKR_NOMEM;
    N(bucket_job) b = {.k = k, .bases = bases, .num_buckets = buckets};
    N(lines_job) lines = {.k = k, .rows = rows, .width = width, .row_tasks = tasks, .column_tasks = tasks};
    N(weigh_job) weigh = {.k = k, .rows = rows, .width = width};
    sort_job sort = {.n = n, .zero = buckets, .parts = parts};
    POINT *all_lines = calloc((size_t)d.windows * ((size_t)rows + width), sizeof *all_lines);
    weigh.sums = malloc((size_t)d.windows * 2 * sizeof *weigh.sums);
    d.digits = zkr_pages_alloc((size_t)d.windows * n * sizeof *d.digits);
    d.negated = malloc(n);
    d.long_index = malloc(n * sizeof *d.long_index);
    d.long_before = malloc((slices + 1) * sizeof *d.long_before);
    sort.entries = zkr_pages_alloc(n * sizeof *sort.entries);
    sort.counts = malloc(parts * ((size_t)buckets + 1) * sizeof *sort.counts);
    sort.starts = malloc(((size_t)buckets + 1) * sizeof *sort.starts);
    b.buckets = zkr_pages_alloc(buckets * sizeof *b.buckets);
    b.heads = malloc(blocks * sizeof *b.heads);
    b.head_bucket = malloc(blocks * sizeof *b.head_bucket);
    b.points = zkr_pages_alloc(threads * BLOCK * sizeof *b.points);
    b.scratch = zkr_pages_alloc(threads * BLOCK * sizeof *b.scratch);
    b.lengths = malloc(threads * BLOCK * sizeof *b.lengths);
    b.places = malloc(threads * BLOCK * sizeof *b.places);
    lines.entries = malloc(threads * BLOCK * sizeof *lines.entries);
    if (all_lines == NULL || weigh.sums == NULL || d.digits == NULL || d.negated == NULL || d.long_index == NULL ||
        d.long_before == NULL || sort.entries == NULL || sort.counts == NULL || sort.starts == NULL ||
        b.buckets == NULL || b.heads == NULL || b.head_bucket == NULL || b.points == NULL || b.scratch == NULL ||
        b.lengths == NULL || b.places == NULL || lines.entries == NULL)
        goto done;
    lines.points = b.points; /* not used at the same time */
    lines.scratch = b.scratch;
    lines.lengths = b.lengths;
    lines.places = b.places;
    lines.buckets = b.buckets;
    lines.starts = sort.starts;
    weigh.lines = all_lines;
    b.entries = sort.entries;
    b.starts = sort.starts;
    sort.negated = d.negated;

    zkr_parallel_for(engine->threads, slices, 1, digits_slice, &d);
    count_before(&d);
    for (unsigned w = 0; w < d.windows; w++) {
        sort.digits = d.digits + (size_t)w * n;
        sort.index = w == 0 ? NULL : d.long_index;
        sort.before = w == 0 ? NULL : d.long_before;
        b.num_entries = sort_window(engine, &sort);
        if (b.num_entries == 0) continue;
        zkr_parallel_for(engine->threads, (b.num_entries + BLOCK - 1) / BLOCK, 1, N(sum_blocks), &b);
        N(join_heads)(&b);
        lines.lines = all_lines + w * ((size_t)rows + width);
        zkr_parallel_for(engine->threads, 2 * (size_t)tasks, 1, N(sum_lines), &lines);
    }
    zkr_parallel_for(engine->threads, 2 * (size_t)d.windows, 1, N(weigh_lines), &weigh);
    XYZZ acc;
    G(set_infinity)(&acc);
    for (unsigned w = d.windows; w-- > 0;) {
        XYZZ *sum = &weigh.sums[2 * (size_t)w];
        for (unsigned i = 0; i < d.c; i++) G(double)(&acc);
        for (uint32_t i = 1; i < width; i *= 2) G(double)(sum);
        G(add)(&acc, sum);
        G(add)(&acc, sum + 1);
    }
    G(to_affine)(out, &acc);
    status = ZKR_OK;
done:
    free(all_lines);
    free(weigh.sums);
    free(d.digits);
    free(d.negated);
    free(d.long_index);
    free(d.long_before);
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
    free(lines.entries);
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
