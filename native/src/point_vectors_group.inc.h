/* point_vectors_group.inc.h: vectors of points of one group, included by point_vectors.c for G1 and G2.
 *
 * Expects N(name), G(name), K (member of the kernel table), FE, POINT, XYZZ. */

/* ---- points times scalars ---- */

typedef struct {
    const zkr_kernels *k;
    POINT *out;
    const POINT *points;
    const zkr_multipliers *by;
} N(scale_job);

static void N(scale_slice)(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const N(scale_job) *j = context;
    const zkr_multipliers *const by = j->by;
    zkr_fe plain[CHUNK], start;
    for (size_t at = begin; at < end; at += CHUNK) {
        const size_t n = end - at < CHUNK ? end - at : CHUNK, step = by->scalars == NULL ? 1 : by->step;
        if (by->scalars != NULL) {
            j->k->fr.from_mont(plain, by->scalars + step * at, step == 0 ? 1 : n);
        } else {
            zkr_fr_pow(&start, by->ratio, at);
            fr_mul(&start, &start, by->first);
            j->k->fr_powers(plain, &start, by->ratio, n);
            j->k->fr.from_mont(plain, plain, n);
        }
        j->k->K.scale(j->out + at, j->points + at, plain, step, n, by->secret);
    }
    zkr_wipe(plain, sizeof plain);
    zkr_wipe(&start, sizeof start);
    zkr_wipe_stack();
}

int N(zkr_scale)(const zkr_engine *engine, POINT *out, const POINT *points, const zkr_multipliers *by, size_t n) {
    N(scale_job) j = {.k = engine->k, .out = out, .points = points, .by = by};
    zkr_parallel_for(engine->threads, n, CHUNK, N(scale_slice), &j);
    return ZKR_OK;
}

/* ---- inverse transform ---- */

/* Decimation in frequency: a stage over blocks of 2 half points makes a + b and w^-k (a - b) of the
 * points k and half + k of each block. The first block of a stage scales by w^-k / n in place of w^-k:
 * of all outputs of the last stage, those that pass a scaling there pass no other such, and only
 * output 0 passes none. */
typedef struct {
    const zkr_kernels *k;
    POINT *x;
    size_t half, stride; /* stride: w^-k of this stage is twiddles[k * stride] */
    const zkr_fe *twiddles;
    zkr_fe n_inverse;
    POINT *work; /* [worker][3 CHUNK] */
    FE *scratch; /* [worker][CHUNK] */
} N(intt_job);

static void N(butterflies)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(intt_job) *j = context;
    POINT *const a = j->work + (size_t)worker * 3 * CHUNK, *const b = a + CHUNK, *const sum = b + CHUNK;
    FE *const scratch = j->scratch + (size_t)worker * CHUNK;
    const size_t half = j->half, n = end - begin;
    zkr_fe plain[CHUNK];
    size_t at[CHUNK], scaled = 0;
    for (size_t i = 0; i < n; i++) {
        at[i] = (begin + i) / half * 2 * half + (begin + i) % half;
        a[i] = j->x[at[i]];
        b[i] = j->x[at[i] + half];
    }
    j->k->K.add(sum, a, b, n, scratch);
    for (size_t i = 0; i < n; i++) {
        j->x[at[i]] = sum[i];
        G(neg)(&b[i], &b[i]);
    }
    j->k->K.add(sum, a, b, n, scratch);
    for (size_t i = 0; i < n; i++) {
        const size_t to = at[i] + half, k = at[i] % half;
        if (k == 0 && at[i] != 0) {
            j->x[to] = sum[i];
            continue;
        }
        plain[scaled] = j->twiddles[k * j->stride];
        if (at[i] < half) fr_mul(&plain[scaled], &plain[scaled], &j->n_inverse);
        at[scaled] = to;
        b[scaled++] = sum[i];
    }
    j->k->fr.from_mont(plain, plain, scaled);
    j->k->K.scale(b, b, plain, 1, scaled, false);
    for (size_t i = 0; i < scaled; i++) j->x[at[i]] = b[i];
}

int N(zkr_intt_points)(const zkr_engine *engine, POINT *x, unsigned log_n) {
    const size_t n = (size_t)1 << log_n, threads = engine->threads;
    if (n == 1) return ZKR_OK;
    N(intt_job) j = {.k = engine->k, .x = x};
    powers_job powers = {.k = engine->k, .out = malloc(n / 2 * sizeof *powers.out)};
    j.work = aligned_alloc(64, threads * 3 * CHUNK * sizeof *j.work);
    j.scratch = malloc(threads * CHUNK * sizeof *j.scratch);
    int status = ZKR_NOMEM;
    if (powers.out != NULL && j.work != NULL && j.scratch != NULL) {
        zkr_ntt_root(&powers.ratio, log_n);
        fr_inv(&powers.ratio, &powers.ratio);
        zkr_parallel_for(engine->threads, n / 2, SLICE, powers_slice, &powers);
        fr_from_u64(&j.n_inverse, n);
        fr_inv(&j.n_inverse, &j.n_inverse);
        j.twiddles = powers.out;
        for (j.half = n / 2, j.stride = 1; j.half > 0; j.half /= 2, j.stride *= 2)
            zkr_parallel_for(engine->threads, n / 2, n / 2 < CHUNK * threads ? n / 2 / threads + 1 : CHUNK,
                             N(butterflies), &j);
        zkr_fe plain;
        engine->k->fr.from_mont(&plain, &j.n_inverse, 1);
        engine->k->K.scale(x, x, &plain, 0, 1, false);
        for (size_t i = 0; i < n; i++) {
            const size_t other = reversed(i, log_n);
            if (other <= i) continue;
            const POINT t = x[i];
            x[i] = x[other];
            x[other] = t;
        }
        status = ZKR_OK;
    }
    free(powers.out);
    free(j.work);
    free(j.scratch);
    return status;
}

/* ---- sparse sums ---- */

/* The entries are cut into pieces, whatever the columns in them; a column that goes on into further
 * pieces leaves partial sums there, which are joined at the end. */
typedef struct {
    const zkr_kernels *k;
    const zkr_point_columns *m;
    const POINT *bases;
    const classes *classes;
    size_t num_entries;
    POINT *out;
    POINT *heads;       /* [piece] partial sum of a column begun in an earlier piece */
    size_t *head_column; /* [piece] that column, or SIZE_MAX */
    POINT *points;      /* [worker][2 PIECE] */
    FE *scratch;        /* [worker][PIECE] */
    zkr_fe *scalars;    /* [worker][PIECE] */
    uint64_t *keys;     /* [worker][PIECE] */
    uint32_t *words;    /* [worker][6 PIECE] */
} N(sparse_job);

/* the last column that starts at or before entry `at` and is not empty */
static size_t N(column_at)(const zkr_point_columns *m, size_t at) {
    size_t low = 0, high = m->num_columns; /* indptr[low] <= at < indptr[high] */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (m->indptr[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Groups of a column's entries begin .. end-1 by class: entries and lengths are appended, and the
 * groups' classes. Returns the number of groups. */
static uint32_t N(group_entries)(const N(sparse_job) *j, size_t begin, size_t end, uint64_t *keys, uint32_t *entries,
                                 uint32_t *lengths, uint32_t *group_class, uint32_t *used) {
    size_t n = 0;
    uint32_t groups = 0;
    for (size_t e = begin; e < end; e++) {
        const uint32_t class = j->classes->of[j->m->coefs[e]];
        if ((class & 0x7fffffffu) == 0) continue;
        keys[n++] = (uint64_t)(class & 0x7fffffffu) << 32 | j->m->rows[e] | (class & 0x80000000u);
    }
    sort_keys(keys, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t class = (uint32_t)(keys[i] >> 32);
        if (i == 0 || class != group_class[groups - 1]) {
            lengths[groups] = 0;
            group_class[groups++] = class;
        }
        lengths[groups - 1]++;
        entries[(*used)++] = (uint32_t)keys[i];
    }
    return groups;
}

/* points[g] *= the value of its class, in the order of the classes: small values come together */
static void N(scale_groups)(const N(sparse_job) *j, POINT *points, POINT *sorted, const uint32_t *group_class,
                            uint32_t groups, uint64_t *keys, zkr_fe *scalars) {
    size_t n = 0;
    for (uint32_t g = 0; g < groups; g++)
        if (group_class[g] != 1) keys[n++] = (uint64_t)group_class[g] << 32 | g;
    sort_keys(keys, n);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = points[(uint32_t)keys[i]];
        scalars[i] = j->classes->values[keys[i] >> 32];
    }
    j->k->K.scale(sorted, sorted, scalars, 1, n, false);
    for (size_t i = 0; i < n; i++) points[(uint32_t)keys[i]] = sorted[i];
}

static void N(sum_piece)(void *context, size_t begin, size_t end, unsigned worker) {
    const N(sparse_job) *j = context;
    const uint32_t *const indptr = j->m->indptr;
    POINT *const points = j->points + (size_t)worker * 2 * PIECE, *const sums = points + PIECE;
    FE *const scratch = j->scratch + (size_t)worker * PIECE;
    uint64_t *const keys = j->keys + (size_t)worker * PIECE;
    uint32_t *const entries = j->words + (size_t)worker * 6 * PIECE, *const lengths = entries + PIECE;
    uint32_t *const group_class = lengths + PIECE, *const counts = group_class + PIECE, *const places = counts + PIECE;
    uint32_t *const which = places + PIECE;
    for (size_t piece = begin; piece < end; piece++) {
        const size_t from = piece * PIECE, to = from + PIECE < j->num_entries ? from + PIECE : j->num_entries;
        const size_t first = N(column_at)(j->m, from);
        uint32_t used = 0, groups = 0, columns = 0;
        for (size_t c = first; c < j->m->num_columns && indptr[c] < to; c++) {
            const size_t low = indptr[c] > from ? indptr[c] : from, high = indptr[c + 1] < to ? indptr[c + 1] : to;
            if (low >= high) continue;
            const uint32_t more = N(group_entries)(j, low, high, keys, entries, lengths + groups, group_class + groups, &used);
            groups += more;
            which[columns] = (uint32_t)c;
            counts[columns] = more;
            columns += more > 0; /* a column whose constants are all zero has no groups */
        }
        j->k->K.sum_entries(points, j->bases, entries, lengths, groups, places, scratch);
        N(scale_groups)(j, points, sums, group_class, groups, keys, j->scalars + (size_t)worker * PIECE);
        for (uint32_t g = 0; g < groups; g++) entries[g] = g;
        j->k->K.sum_entries(sums, points, entries, counts, columns, places, scratch);
        j->head_column[piece] = SIZE_MAX;
        for (uint32_t s = 0; s < columns; s++) {
            if (indptr[which[s]] < from) {
                j->head_column[piece] = which[s];
                j->heads[piece] = sums[s];
            } else {
                j->out[which[s]] = sums[s];
            }
        }
    }
}

int N(zkr_sparse_sums)(const zkr_engine *engine, POINT *out, const POINT *points, const zkr_point_columns *m) {
    const size_t threads = engine->threads, num_entries = m->indptr[m->num_columns];
    const size_t pieces = (num_entries + PIECE - 1) / PIECE;
    classes c;
    memset(out, 0, m->num_columns * sizeof *out);
    if (num_entries == 0) return ZKR_OK;
    int status = classes_make(engine, &c, m->constants, m->num_constants);
    if (status != ZKR_OK) return status;
    N(sparse_job) j = {.k = engine->k, .m = m, .bases = points, .classes = &c, .num_entries = num_entries, .out = out};
    j.heads = malloc(pieces * sizeof *j.heads);
    j.head_column = malloc(pieces * sizeof *j.head_column);
    j.points = aligned_alloc(64, threads * 2 * PIECE * sizeof *j.points);
    j.scratch = malloc(threads * PIECE * sizeof *j.scratch);
    j.scalars = malloc(threads * PIECE * sizeof *j.scalars);
    j.keys = malloc(threads * PIECE * sizeof *j.keys);
    j.words = malloc(threads * 6 * PIECE * sizeof *j.words);
    status = ZKR_NOMEM;
    if (j.heads != NULL && j.head_column != NULL && j.points != NULL && j.scratch != NULL && j.scalars != NULL &&
        j.keys != NULL && j.words != NULL) {
        zkr_parallel_for(engine->threads, pieces, 1, N(sum_piece), &j);
        for (size_t piece = 0; piece < pieces;) {
            const size_t column = j.head_column[piece];
            if (column == SIZE_MAX) {
                piece++;
                continue;
            }
            XYZZ sum;
            G(from_affine)(&sum, &out[column]);
            for (; piece < pieces && j.head_column[piece] == column; piece++) G(add_affine)(&sum, &j.heads[piece]);
            G(to_affine)(&out[column], &sum);
        }
        status = ZKR_OK;
    }
    classes_free(&c);
    free(j.heads);
    free(j.head_column);
    free(j.points);
    free(j.scratch);
    free(j.scalars);
    free(j.keys);
    free(j.words);
    return status;
}
