/* fixed_base_group.inc.h: fixed-base multiplication of one group, included by fixed_base.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ, CHUNK (results that share an
 * inversion). */

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
    /* a setup's scalars are secret, and so is what tells their digits */
    zkr_wipe(plain, n * sizeof *plain);
    zkr_wipe(entries, n * sizeof *entries);
    zkr_wipe(negated, sizeof negated);
    zkr_wipe(points, n * sizeof *points);
    zkr_wipe(scratch, n * sizeof *scratch);
    zkr_wipe_stack();
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
