/* threads.c: a pool of worker threads that grows to what calls ask for and sleeps between them.
 *
 * A call puts a job on a list, works on it itself, takes it off the list and waits for the others that
 * are still inside. Chunks are handed out by an atomic counter. Because the caller can always finish
 * alone, nothing waits for a worker that has not started, and a failed pthread_create only costs speed.
 *
 * Calls made inside chunks belong to the team of the outermost call: no more threads than that call
 * asked for work on all of them together. A free worker joins the outermost job that has chunks left, as
 * their chunks are the longest; a caller that waits helps with jobs nested as deeply as its own or deeper,
 * one chunk at a time, so that no thread of a team is idle while another has more than one chunk to do.
 * A chunk at one depth waits for chunks of greater depth only, whoever runs them: nothing waits in a
 * circle. After fork() the child has no workers: the pool is reset there and grows again when used. */
#include "threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MOST_THREADS 1024u

/* Numbers below `limit`, the lowest free one first. */
typedef struct {
    uint64_t taken[MOST_THREADS / 64];
    unsigned count, limit;
} numbers;

static unsigned take_number(numbers *n) {
    unsigned word = 0;
    while (n->taken[word] == UINT64_MAX) word++;
    const unsigned bit = (unsigned)__builtin_ctzll(~n->taken[word]);
    n->taken[word] |= (uint64_t)1 << bit;
    n->count++;
    return 64 * word + bit;
}

static void free_number(numbers *n, unsigned number) {
    n->taken[number / 64] &= ~((uint64_t)1 << (number % 64));
    n->count--;
}

typedef struct job {
    zkr_range_fn fn;
    void *context;
    size_t n, grain;
    unsigned depth; /* how many calls it is inside */
    _Atomic size_t next;
    /* under the lock: */
    numbers *team;   /* the threads at work on the outermost call and all within */
    numbers workers; /* those inside this job, the caller included */
    struct job *previous, *following;
} job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_here = PTHREAD_COND_INITIALIZER; /* for workers */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;   /* for callers that wait: a job was left, or is new */
static job *jobs;
static unsigned num_workers;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* This thread's team, or NULL outside of all calls; its number there; the depth of a call made now */
static _Thread_local numbers *my_team;
static _Thread_local unsigned my_number, my_depth;

static void before_fork(void) { pthread_mutex_lock(&lock); }

static void after_fork_in_parent(void) { pthread_mutex_unlock(&lock); }

static void after_fork_in_child(void) {
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    work_here = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    jobs = NULL;
    num_workers = 0;
}

static void register_fork_handlers(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* False when no chunk was left */
static bool run_chunk(job *j, unsigned worker) {
    const size_t begin = atomic_fetch_add_explicit(&j->next, j->grain, memory_order_relaxed);
    if (begin >= j->n) return false;
    const size_t left = j->n - begin;
    j->fn(j->context, begin, begin + (left < j->grain ? left : j->grain), worker);
    return true;
}

/* The outermost job that has room for a worker and chunks left: of any team with room or, for a caller
 * that waits, of its own and at least `depth` deep. Lock held. */
static job *find_job(const numbers *team, unsigned depth) {
    job *best = NULL;
    for (job *j = jobs; j != NULL; j = j->following) {
        const bool open = team == NULL ? j->team->count < j->team->limit : j->team == team && j->depth >= depth;
        if (open && j->workers.count < j->workers.limit && (best == NULL || j->depth < best->depth) &&
            atomic_load_explicit(&j->next, memory_order_relaxed) < j->n)
            best = j;
    }
    return best;
}

/* Works on j, whose team this thread is in: on one chunk or all. Lock held before and after. */
static void work_on(job *j, bool once) {
    const unsigned worker = take_number(&j->workers), depth = my_depth;
    pthread_mutex_unlock(&lock);
    my_depth = j->depth + 1;
    while (run_chunk(j, worker) && !once) {
    }
    my_depth = depth;
    pthread_mutex_lock(&lock);
    free_number(&j->workers, worker);
    if (j->workers.count == 1) pthread_cond_broadcast(&changed); /* only its caller is left */
}

static void *worker_main(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        job *j = find_job(NULL, 0);
        if (j == NULL) {
            pthread_cond_wait(&work_here, &lock);
            continue;
        }
        numbers *const team = j->team;
        my_team = team;
        my_number = take_number(team);
        work_on(j, false);
        /* the team ends no sooner than the job's caller is given the lock */
        free_number(team, my_number);
        my_team = NULL;
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
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads <= 1 || chunks == 1) {
        for (size_t begin = 0; begin < n; begin += grain) {
            fn(context, begin, n - begin < grain ? n : begin + grain, 0);
            if (n - begin <= grain) return;
        }
    }
    pthread_once(&fork_once, register_fork_handlers);
    numbers own = {.taken = {1}, .count = 1, .limit = threads};
    const bool outermost = my_team == NULL;
    if (outermost) {
        my_team = &own;
        my_number = my_depth = 0;
    }
    job j = {.fn = fn, .context = context, .n = n, .grain = grain, .depth = my_depth, .team = my_team};
    j.workers = (numbers){.taken = {1}, .count = 1, .limit = threads > chunks ? (unsigned)chunks : threads};
    atomic_init(&j.next, 0);

    pthread_mutex_lock(&lock);
    if (outermost) grow(threads - 1);
    j.following = jobs;
    if (jobs != NULL) jobs->previous = &j;
    jobs = &j;
    if (j.team->count < j.team->limit) pthread_cond_broadcast(&work_here);
    if (!outermost) pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);

    my_depth++;
    while (run_chunk(&j, 0)) {
    }
    my_depth--;

    pthread_mutex_lock(&lock);
    if (j.previous != NULL)
        j.previous->following = j.following;
    else
        jobs = j.following;
    if (j.following != NULL) j.following->previous = j.previous;
    while (j.workers.count > 1) {
        job *const other = find_job(j.team, j.depth);
        if (other != NULL)
            work_on(other, true);
        else
            pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    if (outermost) my_team = NULL;
}

unsigned zkr_thread_number(void) { return my_team == NULL ? 0 : my_number; }

size_t zkr_grain(unsigned threads, size_t n, size_t per_thread, size_t least) {
    const size_t chunks = (size_t)threads * (per_thread == 0 ? 1 : per_thread);
    const size_t grain = n / (chunks == 0 ? 1 : chunks) + 1;
    return grain < least ? least : grain;
}
