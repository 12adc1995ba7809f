/* api_points.c: the ABI's vectors of points and secret scalars: argument checks, and what a secret is. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "groth16.h"
#include "point_vectors.h"
#include "random.h"

struct zkr_secret {
    zkr_fe value, inverse; /* Montgomery */
};

static void say(size_t *bad, int *what, size_t at, int kind) {
    if (bad != NULL) *bad = at;
    if (what != NULL) *what = kind;
}

static int check_points(const zkr_engine *engine, const uint64_t *points, size_t n, size_t coordinates, size_t *bad,
                        int *what) {
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fq, (const zkr_fe *)points, n * coordinates);
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    say(bad, what, at / coordinates, ZKR_BAD_POINT);
    return ZKR_NOTCANONICAL;
}

static int check_scalars(const zkr_engine *engine, const uint64_t *scalars, size_t n, size_t *bad, int *what) {
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)scalars, n);
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    say(bad, what, at, ZKR_BAD_SCALAR);
    return ZKR_NOTCANONICAL;
}

/* ---- scaling --------------------------------------------------------------------------------- */

static int scale(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, const zkr_multipliers *by,
                 size_t coordinates) {
    return coordinates == 2 ? zkr_scale_g1(engine, (zkr_g1 *)out, (const zkr_g1 *)points, by, n)
                            : zkr_scale_g2(engine, (zkr_g2 *)out, (const zkr_g2 *)points, by, n);
}

static int scale_public(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n,
                        const uint64_t *scalars, size_t num_scalars, size_t coordinates, size_t *bad, int *what) {
    say(bad, what, SIZE_MAX, 0);
    if (engine == NULL || n > INT32_MAX || (num_scalars != n && num_scalars != 1)) return ZKR_BADARGS;
    if ((n > 0 && (out == NULL || points == NULL)) || (num_scalars > 0 && scalars == NULL)) return ZKR_BADARGS;
    int status = check_points(engine, points, n, coordinates, bad, what);
    if (status == ZKR_OK) status = check_scalars(engine, scalars, num_scalars, bad, what);
    if (status != ZKR_OK || n == 0) return status;
    const zkr_multipliers by = {.scalars = (const zkr_fe *)scalars, .step = num_scalars == 1 ? 0 : 1};
    return scale(engine, out, points, n, &by, coordinates);
}

int zkr_g1_scale(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, const uint64_t *scalars,
                 size_t num_scalars, size_t *bad, int *what) {
    return scale_public(engine, out, points, n, scalars, num_scalars, 2, bad, what);
}

int zkr_g2_scale(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, const uint64_t *scalars,
                 size_t num_scalars, size_t *bad, int *what) {
    return scale_public(engine, out, points, n, scalars, num_scalars, 4, bad, what);
}

/* ---- inverse transforms ---------------------------------------------------------------------- */

static int intt(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, size_t coordinates,
                size_t *bad) {
    unsigned log_n = 0;
    say(bad, NULL, SIZE_MAX, 0);
    if (engine == NULL || out == NULL || points == NULL) return ZKR_BADARGS;
    if (n == 0 || (n & (n - 1)) != 0 || n > (size_t)1 << 28) return ZKR_BADARGS;
    const int status = check_points(engine, points, n, coordinates, bad, NULL);
    if (status != ZKR_OK) return status;
    while ((size_t)1 << log_n < n) log_n++;
    if (out != points) memcpy(out, points, n * coordinates * sizeof(zkr_fe));
    return coordinates == 2 ? zkr_intt_points_g1(engine, (zkr_g1 *)out, log_n)
                            : zkr_intt_points_g2(engine, (zkr_g2 *)out, log_n);
}

int zkr_g1_intt_points(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, size_t *bad) {
    return intt(engine, out, points, n, 2, bad);
}

int zkr_g2_intt_points(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, size_t *bad) {
    return intt(engine, out, points, n, 4, bad);
}

/* ---- sparse sums ----------------------------------------------------------------------------- */

static int check_columns(const zkr_columns *m, size_t num_points, size_t *bad, int *what) {
    if (m->num_entries > UINT32_MAX || m->num_columns >= UINT32_MAX || m->num_constants > INT32_MAX) return ZKR_BADARGS;
    if (m->indptr == NULL || (m->num_entries > 0 && (m->rows == NULL || m->coefs == NULL))) return ZKR_BADARGS;
    if (m->num_constants > 0 && m->constants == NULL) return ZKR_BADARGS;
    for (size_t j = 0; j <= m->num_columns; j++) {
        const uint64_t least = j == 0 ? 0 : m->indptr[j - 1];
        const uint64_t most = j == 0 ? 0 : m->num_entries;
        if (m->indptr[j] < least || m->indptr[j] > most || (j == m->num_columns && m->indptr[j] != m->num_entries)) {
            say(bad, what, j, ZKR_BAD_INDPTR);
            return ZKR_BADARGS;
        }
    }
    for (size_t e = 0; e < m->num_entries; e++) {
        if (m->rows[e] < num_points && m->coefs[e] < m->num_constants) continue;
        say(bad, what, e, m->rows[e] < num_points ? ZKR_BAD_COEF : ZKR_BAD_ROW);
        return ZKR_BADARGS;
    }
    return ZKR_OK;
}

static int sparse_sums(const zkr_engine *engine, uint64_t *out, const zkr_columns *m, const uint64_t *points, size_t n,
                       size_t coordinates, size_t *bad, int *what) {
    say(bad, what, SIZE_MAX, 0);
    if (engine == NULL || m == NULL || n > INT32_MAX || (n > 0 && points == NULL)) return ZKR_BADARGS;
    if (m->num_columns > 0 && (out == NULL || out == points)) return ZKR_BADARGS;
    int status = check_columns(m, n, bad, what);
    if (status == ZKR_OK) status = check_points(engine, points, n, coordinates, bad, what);
    if (status == ZKR_OK) status = check_scalars(engine, m->constants, m->num_constants, bad, what);
    if (status != ZKR_OK || m->num_columns == 0) return status;
    const zkr_point_columns columns = {.indptr = m->indptr,
                                       .rows = m->rows,
                                       .coefs = m->coefs,
                                       .constants = (const zkr_fe *)m->constants,
                                       .num_columns = m->num_columns,
                                       .num_constants = m->num_constants};
    return coordinates == 2 ? zkr_sparse_sums_g1(engine, (zkr_g1 *)out, (const zkr_g1 *)points, &columns)
                            : zkr_sparse_sums_g2(engine, (zkr_g2 *)out, (const zkr_g2 *)points, &columns);
}

int zkr_g1_sparse_sums(const zkr_engine *engine, uint64_t *out, const zkr_columns *m, const uint64_t *points, size_t n,
                       size_t *bad, int *what) {
    return sparse_sums(engine, out, m, points, n, 2, bad, what);
}

int zkr_g2_sparse_sums(const zkr_engine *engine, uint64_t *out, const zkr_columns *m, const uint64_t *points, size_t n,
                       size_t *bad, int *what) {
    return sparse_sums(engine, out, m, points, n, 4, bad, what);
}

/* ---- secrets --------------------------------------------------------------------------------- */

int zkr_secret_new(zkr_secret **out) {
    if (out == NULL) return ZKR_BADARGS;
    *out = NULL;
    zkr_secret *const s = calloc(1, sizeof *s);
    if (s == NULL) return ZKR_NOMEM;
    const int status = zkr_random_fr(&s->value);
    if (status != ZKR_OK) {
        zkr_secret_free(s);
        return status;
    }
    fr_inv(&s->inverse, &s->value);
    zkr_wipe_stack();
    *out = s;
    return ZKR_OK;
}

void zkr_secret_free(zkr_secret *secret) {
    if (secret == NULL) return;
    zkr_wipe(secret, sizeof *secret);
    free(secret);
}

static int scale_secret(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n,
                        const zkr_multipliers *by, size_t coordinates, size_t *bad) {
    say(bad, NULL, SIZE_MAX, 0);
    if (engine == NULL || n > INT32_MAX || (n > 0 && (out == NULL || points == NULL))) return ZKR_BADARGS;
    const int status = check_points(engine, points, n, coordinates, bad, NULL);
    return status != ZKR_OK || n == 0 ? status : scale(engine, out, points, n, by, coordinates);
}

static int scale_once(const zkr_engine *engine, const zkr_secret *secret, uint64_t *out, const uint64_t *points,
                      size_t n, int inverse, size_t coordinates, size_t *bad) {
    if (secret == NULL) return ZKR_BADARGS;
    const zkr_multipliers by = {.scalars = inverse ? &secret->inverse : &secret->value, .secret = true};
    return scale_secret(engine, out, points, n, &by, coordinates, bad);
}

static int scale_powers(const zkr_engine *engine, const zkr_secret *secret, const zkr_secret *start, uint64_t *out,
                        const uint64_t *points, size_t n, uint64_t first, size_t coordinates, size_t *bad) {
    if (secret == NULL) return ZKR_BADARGS;
    zkr_fe factor;
    zkr_fr_pow(&factor, &secret->value, first);
    if (start != NULL) fr_mul(&factor, &factor, &start->value);
    const zkr_multipliers by = {.first = &factor, .ratio = &secret->value, .secret = true};
    const int status = scale_secret(engine, out, points, n, &by, coordinates, bad);
    zkr_wipe(&factor, sizeof factor);
    zkr_wipe_stack();
    return status;
}

int zkr_secret_g1_scale(const zkr_engine *engine, const zkr_secret *secret, uint64_t *out, const uint64_t *points,
                        size_t n, int inverse, size_t *bad) {
    return scale_once(engine, secret, out, points, n, inverse, 2, bad);
}

int zkr_secret_g2_scale(const zkr_engine *engine, const zkr_secret *secret, uint64_t *out, const uint64_t *points,
                        size_t n, int inverse, size_t *bad) {
    return scale_once(engine, secret, out, points, n, inverse, 4, bad);
}

int zkr_secret_g1_scale_powers(const zkr_engine *engine, const zkr_secret *secret, const zkr_secret *start,
                               uint64_t *out, const uint64_t *points, size_t n, uint64_t first, size_t *bad) {
    return scale_powers(engine, secret, start, out, points, n, first, 2, bad);
}

int zkr_secret_g2_scale_powers(const zkr_engine *engine, const zkr_secret *secret, const zkr_secret *start,
                               uint64_t *out, const uint64_t *points, size_t n, uint64_t first, size_t *bad) {
    return scale_powers(engine, secret, start, out, points, n, first, 4, bad);
}
