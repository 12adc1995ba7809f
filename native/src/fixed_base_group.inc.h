/* fixed_base_group.inc.h: fixed-base multiplication of one group, included by fixed_base.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ, CHUNK (results that a thread
 * makes at a time: their points and scratch stay in the second-level cache), WIDEST (window: beyond it, what
 * the memory of the table costs outweighs what it saves). */

/* ---- the table ---- */

/* The window of least additions, the table's included. */
static unsigned N(fixed_window)(size_t n) {
    double best = 0;
    unsigned best_c = 0;
    for (unsigned c = 4; c <= WIDEST; c++) {
        const double cost = (double)num_windows(c) * ((double)n + (double)((size_t)1 << (c - 1)));
        if (best_c == 0 || cost < best) {
            best = cost;
            best_c = c;
        }
    }
    return best_c;
}

typedef struct {
    const zkr_kernels *k;
    N(zkr_fixed) *table;
    POINT *points; /* [worker][STEP] */
    FE *scratch;   /* [worker][STEP] */
} N(table_job);

/* Fills one window's row from its first entry, by doubling its length: (d + k) P = d P + k P. */
static void N(fill_rows)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(table_job) *j = context;
    FE *scratch = j->scratch + (size_t)worker * STEP;
    POINT *points = j->points + (size_t)worker * STEP;
    const size_t half = (size_t)1 << (j->table->c - 1);
    for (size_t w = begin; w < end; w++) {
        POINT *row = j->table->points + w * half;
        for (size_t have = 1; have < half; have *= 2) {
            const size_t step = have < STEP ? have : STEP;
            for (size_t i = 0; i < step; i++) points[i] = row[have - 1];
            for (size_t at = 0; at < have; at += step)
                j->k->K.add(row + have + at, row + at, points, step, scratch);
        }
    }
}

int N(zkr_fixed_new)(const zkr_engine *engine, N(zkr_fixed) *table, const POINT *base, size_t n) {
    memset(table, 0, sizeof *table);
    table->c = N(fixed_window)(n);
    table->windows = num_windows(table->c);
    digit_bias(&table->bias, table->c);
    const size_t threads = engine->threads, half = (size_t)1 << (table->c - 1);
    N(table_job) j = {.k = engine->k, .table = table};
    table->points = zkr_pages_alloc(((size_t)table->windows * half + 1) * sizeof *table->points);
    j.points = aligned_alloc(64, threads * STEP * sizeof *j.points);
    j.scratch = malloc(threads * STEP * sizeof *j.scratch);
    int status = ZKR_NOMEM;
    if (table->points != NULL && j.points != NULL && j.scratch != NULL) {
        XYZZ power;
        G(from_affine)(&power, base);
        for (unsigned w = 0; w < table->windows; w++) {
            G(to_affine)(&table->points[w * half], &power);
            for (unsigned i = 0; i < table->c; i++) G(double)(&power);
        }
        memset(&table->points[table->windows * half], 0, sizeof *table->points);
        zkr_parallel_for(engine->threads, table->windows, 1, N(fill_rows), &j);
        status = ZKR_OK;
    }
    free(j.points);
    free(j.scratch);
    if (status != ZKR_OK) N(zkr_fixed_free)(table);
    return status;
}

void N(zkr_fixed_free)(N(zkr_fixed) *table) {
    free(table->points);
    table->points = NULL;
}

/* ---- multiples ---- */

typedef struct {
    const zkr_kernels *k;
    const N(zkr_fixed) *table;
    const zkr_fe *scalars;
    POINT *out;
    POINT *points;   /* [worker][entries] */
    FE *scratch;     /* [worker][entries] */
    uint32_t *words; /* [worker][entries + 2 CHUNK] */
    size_t entries;  /* of a chunk, at most */
} N(fixed_job);

static void N(fixed_chunk)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(fixed_job) *j = context;
    const N(zkr_fixed) *const t = j->table;
    POINT *const points = j->points + (size_t)worker * j->entries;
    FE *const scratch = j->scratch + (size_t)worker * j->entries;
    uint32_t *const entries = j->words + (size_t)worker * (j->entries + 2 * CHUNK);
    uint32_t *const lengths = entries + j->entries, *const places = lengths + CHUNK;
    zkr_fe plain[CHUNK];
    const uint32_t half = 1u << (t->c - 1), infinity = t->windows * half;
    const size_t n = end - begin;
    size_t used = 0;
    j->k->fr.from_mont(plain, j->scalars + begin, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t negated = halve_range(&plain[i]);
        const size_t before = used;
        uint64_t carry = 0;
        for (int l = 0; l < 4; l++) plain[i].l[l] = zkr_adc(plain[i].l[l], t->bias.l[l], &carry);
        for (unsigned w = 0; w < t->windows; w++) {
            const uint32_t stored = window_of(&plain[i], w, t->c) + (w + 1 == t->windows ? half : 0);
            const uint32_t negative = (stored < half) ^ negated, m = magnitude(stored, half);
            entries[used] = (w * half + m - 1) | negative << 31;
            used += m != 0;
        }
        if (used == before) entries[used++] = infinity;
        lengths[i] = (uint32_t)(used - before);
    }
    j->k->K.sum_entries(points, t->points, entries, lengths, n, places, scratch);
    memcpy(j->out + begin, points, n * sizeof *points);
    /* a setup's scalars are secret, and so is what tells their digits */
    zkr_wipe(plain, sizeof plain);
    zkr_wipe(entries, used * sizeof *entries);
    zkr_wipe(points, used * sizeof *points);
    zkr_wipe(scratch, used * sizeof *scratch);
    zkr_wipe_stack();
}

int N(zkr_fixed_many)(const zkr_engine *engine, POINT *out, const N(zkr_fixed) *table, const zkr_fe *scalars, size_t n) {
    if (n > INT32_MAX) return ZKR_BADARGS;
    if (n == 0) return ZKR_OK;
    const size_t threads = engine->threads;
    N(fixed_job) j = {.k = engine->k, .table = table, .scalars = scalars, .out = out, .entries = (size_t)CHUNK * table->windows};
    j.points = zkr_pages_alloc(threads * j.entries * sizeof *j.points);
    j.scratch = zkr_pages_alloc(threads * j.entries * sizeof *j.scratch);
    j.words = malloc(threads * (j.entries + 2 * CHUNK) * sizeof *j.words);
    int status = ZKR_NOMEM;
    if (j.points != NULL && j.scratch != NULL && j.words != NULL) {
        zkr_parallel_for(engine->threads, n, CHUNK, N(fixed_chunk), &j);
        status = ZKR_OK;
    }
    free(j.points);
    free(j.scratch);
    free(j.words);
    return status;
}

int N(zkr_fixed_base)(const zkr_engine *engine, POINT *out, const POINT *base, const zkr_fe *scalars, size_t n) {
    N(zkr_fixed) table;
    if (n > INT32_MAX) return ZKR_BADARGS;
    if (n == 0) return ZKR_OK;
    int status = N(zkr_fixed_new)(engine, &table, base, n);
    if (status != ZKR_OK) return status;
    status = N(zkr_fixed_many)(engine, out, &table, scalars, n);
    N(zkr_fixed_free)(&table);
    return status;
}
