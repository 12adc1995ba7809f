/* pages.h: memory for long vectors. Must not know what is in them. */
#ifndef ZKR_PAGES_H
#define ZKR_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* At least `size` bytes aligned to 64, or NULL; given back with free(). Long ones ask for huge pages: the
 * first touch of 32 MB by small pages takes longer than half a transform of as much. */
static inline __attribute__((unused)) void *zkr_pages_alloc(size_t size) {
    const size_t huge = (size_t)1 << 21, align = size >= 2 * huge ? huge : 64;
    if (size > SIZE_MAX - align) return NULL;
    const size_t rounded = size == 0 ? align : (size + align - 1) & ~(align - 1);
    void *pages = aligned_alloc(align, rounded);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (pages != NULL && align == huge) (void)madvise(pages, rounded, MADV_HUGEPAGE); /* advice: may be refused */
#endif
    return pages;
}

#endif
