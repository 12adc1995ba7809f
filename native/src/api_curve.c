/* api_curve.c: the ABI's curve functions: argument checks, slicing, threads. */
#include "engine.h"
#include "msm.h"
#include "threads.h"

#include <stdlib.h>

#define SLICE_G1 1024
#define SLICE_G2 512

static int check_points(const zkr_engine *engine, const uint64_t *points, size_t n, size_t coordinates, size_t *bad,
                        int *what) {
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fq, (const zkr_fe *)points, n * coordinates);
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    if (bad != NULL) *bad = at / coordinates;
    if (what != NULL) *what = ZKR_BAD_POINT;
    return ZKR_NOTCANONICAL;
}

static int check_scalars(const zkr_engine *engine, const uint64_t *scalars, size_t n, size_t *bad, int *what) {
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)scalars, n);
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    if (bad != NULL) *bad = at;
    if (what != NULL) *what = ZKR_BAD_SCALAR;
    return ZKR_NOTCANONICAL;
}

/* What the sums have in common; num_points of the first array, n of the second. */
static int check(const zkr_engine *engine, const uint64_t *out, const uint64_t *points, size_t num_points,
                 const uint64_t *scalars, size_t n, size_t coordinates, size_t *bad, int *what) {
    if (engine == NULL || n > INT32_MAX) return ZKR_BADARGS;
    if (num_points > 0 && points == NULL) return ZKR_BADARGS;
    if (n > 0 && (out == NULL || scalars == NULL)) return ZKR_BADARGS;
    const int status = check_points(engine, points, num_points, coordinates, bad, what);
    return status != ZKR_OK ? status : check_scalars(engine, scalars, n, bad, what);
}

typedef struct {
    const zkr_kernels *k;
    uint64_t *out;
    const uint64_t *a, *b;
    uint64_t *scratch;
} add_job;

static void add_slice_g1(void *context, size_t begin, size_t end, unsigned worker) {
    const add_job *j = context;
    j->k->g1.add((zkr_g1 *)j->out + begin, (const zkr_g1 *)j->a + begin, (const zkr_g1 *)j->b + begin, end - begin,
                 (zkr_fe *)j->scratch + (size_t)worker * SLICE_G1);
}

static void add_slice_g2(void *context, size_t begin, size_t end, unsigned worker) {
    const add_job *j = context;
    j->k->g2.add((zkr_g2 *)j->out + begin, (const zkr_g2 *)j->a + begin, (const zkr_g2 *)j->b + begin, end - begin,
                 (zkr_fe2 *)j->scratch + (size_t)worker * SLICE_G2);
}

static int add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
               size_t coordinates, size_t slice, zkr_range_fn fn, size_t *bad, int *what) {
    if (engine == NULL || n > INT32_MAX || (n > 0 && (out == NULL || a == NULL || b == NULL))) return ZKR_BADARGS;
    int status = check_points(engine, a, n, coordinates, bad, what);
    if (status != ZKR_OK) return status;
    status = check_points(engine, b, n, coordinates, bad, what);
    if (status != ZKR_OK) {
        if (bad != NULL) *bad += n;
        return status;
    }
    add_job j = {.k = engine->k, .out = out, .a = a, .b = b};
    j.scratch = malloc(engine->threads * slice * coordinates / 2 * sizeof(zkr_fe));
    if (j.scratch == NULL) return ZKR_NOMEM;
    zkr_parallel_for(engine->threads, n, slice, fn, &j);
    free(j.scratch);
    return ZKR_OK;
}

typedef struct {
    const zkr_kernels *k;
    uint8_t *out;
    const uint64_t *points;
    size_t coordinates;
    void (*g1)(uint8_t *, const zkr_g1 *, size_t);
    void (*g2)(uint8_t *, const zkr_g2 *, size_t);
} ask_job;

static void ask_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const ask_job *j = context;
    if (j->g1 != NULL)
        j->g1(j->out + begin, (const zkr_g1 *)j->points + begin, end - begin);
    else
        j->g2(j->out + begin, (const zkr_g2 *)j->points + begin, end - begin);
    for (size_t i = begin; i < end; i++) {
        const uint64_t *p = j->points + i * j->coordinates * 4;
        if (j->k->fq.find_noncanonical((const zkr_fe *)p, j->coordinates) != ZKR_ALL_CANONICAL) j->out[i] = 0;
    }
}

static int ask(const zkr_engine *engine, ask_job *j, size_t n) {
    if (n > INT32_MAX || (n > 0 && (j->out == NULL || j->points == NULL))) return ZKR_BADARGS;
    zkr_parallel_for(engine->threads, n, 64, ask_slice, j);
    return ZKR_OK;
}

int zkr_g1_msm(const zkr_engine *engine, uint64_t *out, const uint64_t *bases, const uint64_t *scalars, size_t n,
               size_t *bad, int *what) {
    if (out == NULL) return ZKR_BADARGS;
    const int status = check(engine, out, bases, n, scalars, n, 2, bad, what);
    if (status != ZKR_OK) return status;
    return zkr_msm_g1(engine, (zkr_g1 *)out, (const zkr_g1 *)bases, (const zkr_fe *)scalars, n);
}

int zkr_g2_msm(const zkr_engine *engine, uint64_t *out, const uint64_t *bases, const uint64_t *scalars, size_t n,
               size_t *bad, int *what) {
    if (out == NULL) return ZKR_BADARGS;
    const int status = check(engine, out, bases, n, scalars, n, 4, bad, what);
    if (status != ZKR_OK) return status;
    return zkr_msm_g2(engine, (zkr_g2 *)out, (const zkr_g2 *)bases, (const zkr_fe *)scalars, n);
}

int zkr_g1_fixed_base(const zkr_engine *engine, uint64_t *out, const uint64_t *base, const uint64_t *scalars, size_t n,
                      size_t *bad, int *what) {
    const int status = check(engine, out, base, 1, scalars, n, 2, bad, what);
    if (status != ZKR_OK) return status;
    return zkr_fixed_base_g1(engine, (zkr_g1 *)out, (const zkr_g1 *)base, (const zkr_fe *)scalars, n);
}

int zkr_g2_fixed_base(const zkr_engine *engine, uint64_t *out, const uint64_t *base, const uint64_t *scalars, size_t n,
                      size_t *bad, int *what) {
    const int status = check(engine, out, base, 1, scalars, n, 4, bad, what);
    if (status != ZKR_OK) return status;
    return zkr_fixed_base_g2(engine, (zkr_g2 *)out, (const zkr_g2 *)base, (const zkr_fe *)scalars, n);
}

int zkr_g1_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad,
               int *what) {
    return add(engine, out, a, b, n, 2, SLICE_G1, add_slice_g1, bad, what);
}

int zkr_g2_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad,
               int *what) {
    return add(engine, out, a, b, n, 4, SLICE_G2, add_slice_g2, bad, what);
}

int zkr_g1_is_on_curve(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n) {
    if (engine == NULL) return ZKR_BADARGS;
    ask_job j = {.k = engine->k, .out = out, .points = points, .coordinates = 2, .g1 = engine->k->g1.is_on_curve};
    return ask(engine, &j, n);
}

int zkr_g2_is_on_curve(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n) {
    if (engine == NULL) return ZKR_BADARGS;
    ask_job j = {.k = engine->k, .out = out, .points = points, .coordinates = 4, .g2 = engine->k->g2.is_on_curve};
    return ask(engine, &j, n);
}

int zkr_g2_is_in_subgroup(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n) {
    if (engine == NULL) return ZKR_BADARGS;
    ask_job j = {.k = engine->k, .out = out, .points = points, .coordinates = 4, .g2 = engine->k->g2_in_subgroup};
    return ask(engine, &j, n);
}
