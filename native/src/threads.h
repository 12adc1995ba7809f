/* threads.h: the one way to run a loop on several threads. */
#ifndef ZKR_THREADS_H
#define ZKR_THREADS_H

#include <stddef.h>

/* Handles begin <= i < end. `worker` is below the `threads` of the call, and no two bodies of one
 * call run under the same worker at the same time: it may index scratch memory. */
typedef void (*zkr_range_fn)(void *context, size_t begin, size_t end, unsigned worker);

/* Runs fn over 0 .. n-1 in chunks of `grain` (the last may be shorter; 0 counts as 1), taken by
 * whoever is free. The caller works too; with threads = 1 or a single chunk all of it runs inline.
 * Returns when everything is done. May be called from several threads at once and from inside fn: then
 * both calls together have the threads of the outer one. */
void zkr_parallel_for(unsigned threads, size_t n, size_t grain, zkr_range_fn fn, void *context);

/* The calling thread's number among those of the outermost call it works for: below that call's `threads`,
 * and its own as long as it is inside any chunk. 0 outside of calls, and in those that run inline. Memory
 * indexed by it must not be in use across a nested call: while waiting there, a thread works for others. */
unsigned zkr_thread_number(void);

/* A grain that gives each thread about `per_thread` chunks, at least `least` elements each. */
size_t zkr_grain(unsigned threads, size_t n, size_t per_thread, size_t least);

#endif
