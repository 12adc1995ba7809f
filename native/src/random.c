/* random.c: getrandom and explicit wiping. */
#include "random.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__)
#include <sys/random.h>
#else
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif
#endif

#include "zkr.h"

int zkr_random_bytes(void *out, size_t n) {
    unsigned char *at = out;
    while (n > 0) {
#if defined(__linux__)
        const ssize_t got = getrandom(at, n, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return ZKR_INTERNAL;
        }
        const size_t step = (size_t)got;
#else
        const size_t step = n < 256 ? n : 256; /* getentropy's limit */
        if (getentropy(at, step) != 0) return ZKR_INTERNAL;
#endif
        at += step;
        n -= step;
    }
    return ZKR_OK;
}

int zkr_random_fr(zkr_fe *out) {
    /* 254 random bits are below r three times in four: after 256 tries something is broken. Any value
     * below r is as good as its Montgomery form: the map between them is a bijection. */
    for (int tries = 0; tries < 256; tries++) {
        zkr_fe t;
        if (zkr_random_bytes(&t, sizeof t) != ZKR_OK) return ZKR_INTERNAL;
        t.l[3] &= UINT64_MAX >> 2;
        const bool usable = fr_is_canonical(&t) && !fr_is_zero(&t);
        if (usable) *out = t;
        zkr_wipe(&t, sizeof t);
        if (usable) return ZKR_OK;
    }
    return ZKR_INTERNAL;
}

void zkr_wipe(void *at, size_t n) {
    if (n == 0) return;
    memset(at, 0, n);
    /* The memory is an input of an opaque statement, so the stores above are not dead. */
    __asm__ volatile("" : : "r"(at) : "memory");
}

__attribute__((noinline)) void zkr_wipe_stack(void) {
    unsigned char below[1 << 15]; /* the widest kernels take half of it */
    zkr_wipe(below, sizeof below);
}
