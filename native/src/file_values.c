/* file_values.c: a file's canonical scalars become Montgomery vectors. Knows no format. */
#include <stdatomic.h>
#include <string.h>

#include "engine.h"
#include "threads.h"

#define SLICE 2048

typedef struct {
    const zkr_field_kernels *field;
    zkr_fe *out;
    const uint8_t *data;
    _Atomic size_t bad;
} job;

/* The bytes may lie anywhere, so they are copied to where elements may lie, and changed there. */
static void slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    job *j = context;
    zkr_fe *out = j->out + begin;
    memcpy(out, j->data + begin * sizeof(zkr_fe), (end - begin) * sizeof(zkr_fe));
    const size_t at = j->field->find_noncanonical(out, end - begin);
    if (at == ZKR_ALL_CANONICAL) {
        j->field->to_mont(out, out, end - begin);
        return;
    }
    size_t seen = atomic_load_explicit(&j->bad, memory_order_relaxed);
    while (begin + at < seen && !atomic_compare_exchange_weak(&j->bad, &seen, begin + at)) {
    }
}

int zkr_fr_from_bytes(const zkr_engine *engine, uint64_t *out, const uint8_t *data, size_t n, size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (engine == NULL || n > SIZE_MAX / sizeof(zkr_fe)) return ZKR_BADARGS;
    if (n > 0 && (out == NULL || data == NULL)) return ZKR_BADARGS;
    job j = {.field = &engine->k->fr, .out = (zkr_fe *)out, .data = data};
    atomic_init(&j.bad, ZKR_ALL_CANONICAL);
    zkr_parallel_for(engine->threads, n, SLICE, slice, &j);
    const size_t found = atomic_load(&j.bad);
    if (bad != NULL) *bad = found;
    return found == ZKR_ALL_CANONICAL ? ZKR_OK : ZKR_NOTCANONICAL;
}
