/* threads.c: a pool of worker threads that grows to what calls ask for and sleeps between them.
 *
 * A call puts a job on a list, works on it itself, takes it off the list and waits for the workers
 * that had joined. Chunks are handed out by an atomic counter. Because the caller can always finish
 * alone, nothing waits for a worker that has not started: nested and concurrent calls cannot
 * deadlock, and a failed pthread_create only costs speed. After fork() the child has no workers:
 * the pool is reset there and grows again when used. */
#include "threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct job {
    zkr_range_fn fn;
    void *context;
    size_t n, grain;
    _Atomic size_t next;
    /* under the lock: */
    unsigned joined, limit; /* workers that joined so far, the caller included; at most limit */
    unsigned active;        /* workers inside, the caller not included */
    struct job *previous, *following;
} job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_here = PTHREAD_COND_INITIALIZER;
static pthread_cond_t job_left = PTHREAD_COND_INITIALIZER;
static job *jobs;
static unsigned num_workers;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void before_fork(void) { pthread_mutex_lock(&lock); }

static void after_fork_in_parent(void) { pthread_mutex_unlock(&lock); }

static void after_fork_in_child(void) {
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    work_here = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    job_left = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    jobs = NULL;
    num_workers = 0;
}

static void register_fork_handlers(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void run_chunks(job *j, unsigned worker) {
    for (;;) {
        const size_t begin = atomic_fetch_add_explicit(&j->next, j->grain, memory_order_relaxed);
        if (begin >= j->n) return;
        const size_t left = j->n - begin;
        j->fn(j->context, begin, begin + (left < j->grain ? left : j->grain), worker);
    }
}

/* A job that has room for a worker and chunks left; lock held. */
static job *find_job(void) {
    for (job *j = jobs; j != NULL; j = j->following)
        if (j->joined < j->limit && atomic_load_explicit(&j->next, memory_order_relaxed) < j->n) return j;
    return NULL;
}

static void *worker_main(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        job *j = find_job();
        if (j == NULL) {
            pthread_cond_wait(&work_here, &lock);
            continue;
        }
        const unsigned worker = j->joined++;
        j->active++;
        pthread_mutex_unlock(&lock);
        run_chunks(j, worker);
        pthread_mutex_lock(&lock);
        if (--j->active == 0) pthread_cond_broadcast(&job_left);
    }
    return NULL;
}

/* At least `wanted` workers, when the system lets us; lock held. Signals stay with the caller's
 * threads. */
static void grow(unsigned wanted) {
    if (num_workers >= wanted) return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        while (num_workers < wanted) {
            pthread_t thread;
            if (pthread_create(&thread, &attributes, worker_main, NULL) != 0) break;
            num_workers++;
        }
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void zkr_parallel_for(unsigned threads, size_t n, size_t grain, zkr_range_fn fn, void *context) {
    if (n == 0) return;
    if (grain == 0) grain = 1;
    const size_t chunks = (n - 1) / grain + 1;
    if (threads > chunks) threads = (unsigned)chunks;
    if (threads <= 1) {
        for (size_t begin = 0; begin < n; begin += grain) {
            fn(context, begin, n - begin < grain ? n : begin + grain, 0);
            if (n - begin <= grain) return;
        }
    }
    pthread_once(&fork_once, register_fork_handlers);
    job j = {.fn = fn, .context = context, .n = n, .grain = grain, .joined = 1, .limit = threads};
    atomic_init(&j.next, 0);

    pthread_mutex_lock(&lock);
    grow(threads - 1);
    j.following = jobs;
    if (jobs != NULL) jobs->previous = &j;
    jobs = &j;
    pthread_cond_broadcast(&work_here);
    pthread_mutex_unlock(&lock);

    run_chunks(&j, 0);

    pthread_mutex_lock(&lock);
    if (j.previous != NULL)
        j.previous->following = j.following;
    else
        jobs = j.following;
    if (j.following != NULL) j.following->previous = j.previous;
    while (j.active != 0) pthread_cond_wait(&job_left, &lock);
    pthread_mutex_unlock(&lock);
}

size_t zkr_grain(unsigned threads, size_t n, size_t per_thread, size_t least) {
    const size_t chunks = (size_t)threads * (per_thread == 0 ? 1 : per_thread);
    const size_t grain = n / (chunks == 0 ? 1 : chunks) + 1;
    return grain < least ? least : grain;
}
