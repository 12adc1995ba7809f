/* dispatch.c: which instruction set runs. CPUID says what the processor has, XGETBV what the
 * operating system saves; both must agree. Resolved once per process. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

/* The build defines ZKR_HAVE_ADX and ZKR_HAVE_IFMA when those kernels are part of it. */
#if defined(ZKR_HAVE_ADX)
#include <cpuid.h>
#endif

enum { PATH_PORTABLE, PATH_ADX, PATH_IFMA, NUM_PATHS };

static const char *const path_names[NUM_PATHS] = {"portable", "adx", "ifma"};
static zkr_kernels tables[NUM_PATHS];
static int available[NUM_PATHS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(ZKR_HAVE_ADX)
static uint64_t xgetbv0(void) {
    uint32_t eax, edx;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return ((uint64_t)edx << 32) | eax;
}

static void detect(int *adx, int *ifma) {
    uint32_t eax, ebx, ecx, edx;
    *adx = *ifma = 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return;
    const uint32_t bmi2 = 1u << 8, adx_bit = 1u << 19;
    const uint32_t f = 1u << 16, dq = 1u << 17, ifma_bit = 1u << 21, bw = 1u << 30, vl = 1u << 31;
    const uint32_t features = ebx;
    *adx = (features & (bmi2 | adx_bit)) == (bmi2 | adx_bit);
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 27))) return; /* OSXSAVE */
    const uint64_t need = 0xe6; /* SSE, AVX, opmask, upper ZMM halves, ZMM16-31 */
    const uint32_t avx512 = f | dq | ifma_bit | bw | vl;
    *ifma = *adx && (xgetbv0() & need) == need && (features & avx512) == avx512;
}
#endif

static void resolve(void) {
    zkr_kernels_fill_portable(&tables[PATH_PORTABLE]);
    available[PATH_PORTABLE] = 1;
#if defined(ZKR_HAVE_ADX)
    int adx, ifma;
    detect(&adx, &ifma);
    if (adx) {
        zkr_kernels_fill_adx(&tables[PATH_ADX]);
        available[PATH_ADX] = 1;
    }
#if defined(ZKR_HAVE_IFMA)
    if (ifma) {
        tables[PATH_IFMA] = tables[PATH_ADX];
        zkr_kernels_fill_ifma(&tables[PATH_IFMA]);
        available[PATH_IFMA] = 1;
    }
#endif
#endif
}

int zkr_kernels_get(const zkr_kernels **out, const char *cpu) {
    if (out == NULL || cpu == NULL) return ZKR_BADARGS;
    if (pthread_once(&once, resolve) != 0) return ZKR_INTERNAL;
    if (cpu[0] == '\0') {
        int best = NUM_PATHS - 1;
        while (!available[best]) best--;
        *out = &tables[best];
        return ZKR_OK;
    }
    for (int i = 0; i < NUM_PATHS; i++) {
        if (strcmp(cpu, path_names[i]) != 0) continue;
        if (!available[i]) return ZKR_UNSUPPORTED;
        *out = &tables[i];
        return ZKR_OK;
    }
    return ZKR_BADARGS;
}

int zkr_cpu_available(const char *cpu) {
    const zkr_kernels *unused;
    if (cpu == NULL || cpu[0] == '\0') return ZKR_BADARGS;
    return zkr_kernels_get(&unused, cpu);
}

int zkr_engine_new(zkr_engine **out, const char *cpu, uint32_t threads) {
    if (out == NULL) return ZKR_BADARGS;
    *out = NULL;
    if (threads < 1 || threads > ZKR_MAX_THREADS) return ZKR_BADARGS;
    const zkr_kernels *k;
    const int status = zkr_kernels_get(&k, cpu);
    if (status != ZKR_OK) return status;
    zkr_engine *engine = malloc(sizeof *engine);
    if (engine == NULL) return ZKR_NOMEM;
    engine->k = k;
    engine->threads = threads;
    engine->msm_window = 0;
    *out = engine;
    return ZKR_OK;
}

void zkr_engine_free(zkr_engine *engine) { free(engine); }

const char *zkr_engine_cpu(const zkr_engine *engine) { return engine == NULL ? "" : engine->k->name; }

uint32_t zkr_engine_threads(const zkr_engine *engine) { return engine == NULL ? 0 : engine->threads; }

const char *zkr_status_text(int status) {
    switch (status) {
    case ZKR_OK: return "done";
    case ZKR_BADARGS: return "an argument cannot be";
    case ZKR_NOMEM: return "out of memory";
    case ZKR_INTERNAL: return "internal error";
    case ZKR_NOTCANONICAL: return "an element is not below its modulus";
    case ZKR_UNSUPPORTED: return "not supported by this processor or build";
    case ZKR_TOO_MANY: return "more results than there is room for";
    default: return "unknown status";
    }
}
