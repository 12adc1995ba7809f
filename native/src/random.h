/* random.h: secrets from the operating system, and their end. Knows nothing of what they are for. */
#ifndef ZKR_RANDOM_H
#define ZKR_RANDOM_H

#include <stddef.h>

#include "field.h"

/* n bytes from the operating system's generator: ZKR_OK or ZKR_INTERNAL. */
int zkr_random_bytes(void *out, size_t n);

/* A uniform nonzero element of Fr, Montgomery: ZKR_OK or ZKR_INTERNAL. */
int zkr_random_fr(zkr_fe *out);

/* Writes zeros that the compiler may not leave out. NULL is allowed when n = 0. */
void zkr_wipe(void *at, size_t n);

/* Overwrites the stack below the caller's frame, where functions that it called kept temporaries. */
void zkr_wipe_stack(void);

#endif
