/* api_vec.c: the ABI's field vectors: argument checks, slicing, threads. */
#include <stdatomic.h>
#include <stdlib.h>

#include "engine.h"
#include "threads.h"

/* Elements a thread takes at a time: enough to amortise the hand-over and one inversion, little
 * enough to stay in the cache. */
#define SLICE 2048

typedef struct {
    const zkr_field_kernels *field;
    zkr_fe *out;
    const zkr_fe *a, *b;
    void (*unary)(zkr_fe *, const zkr_fe *, size_t);
    void (*binary)(zkr_fe *, const zkr_fe *, const zkr_fe *, size_t);
    zkr_fe *scratch;
    _Atomic size_t bad;
} vec_job;

static void lower_bad(_Atomic size_t *bad, size_t index) {
    size_t seen = atomic_load_explicit(bad, memory_order_relaxed);
    while (index < seen && !atomic_compare_exchange_weak(bad, &seen, index)) {
    }
}

static void check_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    vec_job *j = context;
    const size_t at = j->field->find_noncanonical(j->a + begin, end - begin);
    if (at != ZKR_ALL_CANONICAL) lower_bad(&j->bad, begin + at);
}

size_t zkr_find_noncanonical(const zkr_engine *engine, const zkr_field_kernels *field, const zkr_fe *a, size_t n) {
    vec_job j = {.field = field, .a = a};
    atomic_init(&j.bad, ZKR_ALL_CANONICAL);
    zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 4, 4 * SLICE), check_slice, &j);
    return atomic_load(&j.bad);
}

static void unary_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const vec_job *j = context;
    j->unary(j->out + begin, j->a + begin, end - begin);
}

static void binary_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const vec_job *j = context;
    j->binary(j->out + begin, j->a + begin, j->b + begin, end - begin);
}

static void inverse_slice(void *context, size_t begin, size_t end, unsigned worker) {
    const vec_job *j = context;
    j->field->inverse(j->out + begin, j->a + begin, j->scratch + (size_t)worker * SLICE, end - begin);
}

/* The checks all have in common. */
static int check(const zkr_engine *engine, const zkr_field_kernels *field, const uint64_t *out, const uint64_t *a,
                 const uint64_t *b, size_t n, size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (n > SIZE_MAX / sizeof(zkr_fe)) return ZKR_BADARGS;
    if (n > 0 && (out == NULL || a == NULL || b == NULL)) return ZKR_BADARGS;
    size_t at = zkr_find_noncanonical(engine, field, (const zkr_fe *)a, n);
    if (at == ZKR_ALL_CANONICAL && b != a) {
        at = zkr_find_noncanonical(engine, field, (const zkr_fe *)b, n);
        if (at != ZKR_ALL_CANONICAL) at += n;
    }
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    if (bad != NULL) *bad = at;
    return ZKR_NOTCANONICAL;
}

static int unary(const zkr_engine *engine, const zkr_field_kernels *field,
                 void (*kernel)(zkr_fe *, const zkr_fe *, size_t), uint64_t *out, const uint64_t *a, size_t n,
                 size_t *bad) {
    const int status = check(engine, field, out, a, a, n, bad);
    if (status != ZKR_OK) return status;
    vec_job j = {.unary = kernel, .out = (zkr_fe *)out, .a = (const zkr_fe *)a};
    zkr_parallel_for(engine->threads, n, SLICE, unary_slice, &j);
    return ZKR_OK;
}

static int binary(const zkr_engine *engine, const zkr_field_kernels *field,
                  void (*kernel)(zkr_fe *, const zkr_fe *, const zkr_fe *, size_t), uint64_t *out, const uint64_t *a,
                  const uint64_t *b, size_t n, size_t *bad) {
    const int status = check(engine, field, out, a, b, n, bad);
    if (status != ZKR_OK) return status;
    vec_job j = {.binary = kernel, .out = (zkr_fe *)out, .a = (const zkr_fe *)a, .b = (const zkr_fe *)b};
    zkr_parallel_for(engine->threads, n, SLICE, binary_slice, &j);
    return ZKR_OK;
}

static int inverse(const zkr_engine *engine, const zkr_field_kernels *field, uint64_t *out, const uint64_t *a,
                   size_t n, size_t *bad) {
    const int status = check(engine, field, out, a, a, n, bad);
    if (status != ZKR_OK || n == 0) return status;
    vec_job j = {.field = field, .out = (zkr_fe *)out, .a = (const zkr_fe *)a};
    j.scratch = malloc((size_t)engine->threads * SLICE * sizeof(zkr_fe));
    if (j.scratch == NULL) return ZKR_NOMEM;
    zkr_parallel_for(engine->threads, n, SLICE, inverse_slice, &j);
    free(j.scratch);
    return ZKR_OK;
}

#define UNARY(field, op)                                                                                       \
    int zkr_##field##_##op(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad) { \
        if (engine == NULL) return ZKR_BADARGS;                                                                \
        return unary(engine, &engine->k->field, engine->k->field.op, out, a, n, bad);                          \
    }
#define BINARY(field, op)                                                                                      \
    int zkr_##field##_##op(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b,      \
                           size_t n, size_t *bad) {                                                            \
        if (engine == NULL) return ZKR_BADARGS;                                                                \
        return binary(engine, &engine->k->field, engine->k->field.op, out, a, b, n, bad);                      \
    }
#define INVERSE(field)                                                                                           \
    int zkr_##field##_inverse(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad) { \
        if (engine == NULL) return ZKR_BADARGS;                                                                  \
        return inverse(engine, &engine->k->field, out, a, n, bad);                                               \
    }

int zkr_fr_mul_repeat(const zkr_engine *engine, uint64_t *x, const uint64_t *y, size_t rounds, size_t *bad) {
    if (engine == NULL || x == NULL || y == NULL) return ZKR_BADARGS;
    const zkr_field_kernels *field = &engine->k->fr;
    const size_t in_x = field->find_noncanonical((const zkr_fe *)x, ZKR_REPEAT);
    const size_t in_y = field->find_noncanonical((const zkr_fe *)y, 1);
    const size_t at = in_x != ZKR_ALL_CANONICAL ? in_x : in_y != ZKR_ALL_CANONICAL ? ZKR_REPEAT : ZKR_ALL_CANONICAL;
    if (bad != NULL) *bad = at;
    if (at != ZKR_ALL_CANONICAL) return ZKR_NOTCANONICAL;
    engine->k->fr_mul_repeat((zkr_fe *)x, (const zkr_fe *)y, rounds);
    return ZKR_OK;
}

UNARY(fr, to_mont)
UNARY(fr, from_mont)
BINARY(fr, add)
BINARY(fr, sub)
BINARY(fr, mul)
INVERSE(fr)
UNARY(fq, to_mont)
UNARY(fq, from_mont)
BINARY(fq, add)
BINARY(fq, sub)
BINARY(fq, mul)
INVERSE(fq)
