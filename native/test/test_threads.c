/* test_threads.c: the thread pool alone; run under ThreadSanitizer by run_sanitizers.sh. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "threads.h"

typedef struct {
    unsigned char *seen; /* written without atomics: TSan and the check below notice sharing */
    size_t grain, n;
    unsigned threads;
    _Atomic int busy[8];
} cover;

static void mark(void *context, size_t begin, size_t end, unsigned worker) {
    cover *c = context;
    CHECK(worker < c->threads && begin < end && end <= c->n);
    CHECK(end - begin == c->grain || end == c->n);
    CHECK(begin % c->grain == 0);
    CHECK(atomic_exchange(&c->busy[worker], 1) == 0); /* nobody else under this worker's number */
    for (size_t i = begin; i < end; i++) c->seen[i]++;
    atomic_store(&c->busy[worker], 0);
}

static void check_cover(unsigned threads, size_t n, size_t grain) {
    cover c = {.seen = calloc(n + 1, 1), .grain = grain, .n = n, .threads = threads};
    CHECK(c.seen != NULL);
    zkr_parallel_for(threads, n, grain, mark, &c);
    for (size_t i = 0; i < n; i++) CHECK(c.seen[i] == 1);
    CHECK(c.seen[n] == 0);
    free(c.seen);
}

static void every_index_is_visited_once_whatever_the_threads_and_grain(void) {
    for (unsigned threads = 1; threads <= 8; threads++)
        for (size_t n = 0; n < 200; n += 13)
            for (size_t grain = 1; grain < 40; grain += 6) check_cover(threads, n, grain);
    check_cover(4, 100000, 1);
}

static void *call_repeatedly(void *unused) {
    (void)unused;
    for (int i = 0; i < 200; i++) check_cover(3, 500, 7);
    return NULL;
}

static void several_threads_may_call_at_once(void) {
    pthread_t callers[4];
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&callers[i], NULL, call_repeatedly, NULL) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(callers[i], NULL) == 0);
}

static void inner(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    atomic_fetch_add((_Atomic size_t *)context, end - begin);
}

static void outer(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    for (size_t i = begin; i < end; i++) zkr_parallel_for(4, 100, 3, inner, context);
}

static void calls_may_nest(void) {
    _Atomic size_t total = 0;
    zkr_parallel_for(4, 50, 1, outer, (void *)&total);
    CHECK(total == 5000);
}

static void results_of_workers_are_seen_by_the_caller(void) {
    for (int round = 0; round < 200; round++) {
        unsigned char seen[256];
        memset(seen, 0, sizeof seen);
        cover c = {.seen = seen, .grain = 16, .n = 256, .threads = 4};
        zkr_parallel_for(4, 256, 16, mark, &c);
        for (int i = 0; i < 256; i++) CHECK(seen[i] == 1);
    }
}

static void a_forked_child_starts_its_own_workers(void) {
    check_cover(4, 1000, 10);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        check_cover(4, 1000, 10);
        _exit(7);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    check_cover(4, 1000, 10);
}

static void grains_are_at_least_what_was_asked_for(void) {
    CHECK(zkr_grain(4, 1000000, 4, 100) >= 1000000 / 16);
    CHECK(zkr_grain(4, 10, 4, 100) == 100);
    CHECK(zkr_grain(0, 10, 0, 1) >= 1);
}

int main(int argc, char **argv) {
    (void)random64;
    RUN(every_index_is_visited_once_whatever_the_threads_and_grain);
    RUN(several_threads_may_call_at_once);
    RUN(calls_may_nest);
    RUN(results_of_workers_are_seen_by_the_caller);
    RUN(grains_are_at_least_what_was_asked_for);
    /* ThreadSanitizer does not follow threads started after a multi-threaded fork. */
    if (argc < 2 || strcmp(argv[1], "--no-fork") != 0) RUN(a_forked_child_starts_its_own_workers);
    printf("%d passed, 0 failed\n", tests_run);
    return 0;
}
