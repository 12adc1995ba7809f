/* engine.h: what stands behind the opaque zkr_engine of the ABI. */
#ifndef ZKR_ENGINE_H
#define ZKR_ENGINE_H

#include "kernels.h"
#include "zkr.h"

struct zkr_engine {
    const zkr_kernels *k;
    uint32_t threads;
    uint32_t msm_window; /* bits of an MSM's windows, or 0: as the cost model says */
};

#define ZKR_MAX_THREADS 1024u

/* The table of a path, resolved once: ZKR_OK, ZKR_BADARGS (unknown name) or ZKR_UNSUPPORTED. */
int zkr_kernels_get(const zkr_kernels **out, const char *cpu);

/* Threaded over the engine's threads: the first index whose element is >= the modulus of `field`
 * (&engine->k->fr or ->fq), or ZKR_ALL_CANONICAL. */
size_t zkr_find_noncanonical(const zkr_engine *engine, const zkr_field_kernels *field, const zkr_fe *a, size_t n);

#endif
