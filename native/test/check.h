/* check.h: what a C test needs: a failed check says where and ends the program. */
#ifndef ZKR_TEST_CHECK_H
#define ZKR_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);     \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Runs a test and prints its name as a sentence. */
#define RUN(test)                        \
    do {                                 \
        test();                          \
        printf("ok %s\n", #test);        \
        tests_run++;                     \
    } while (0)

static int tests_run __attribute__((unused));

/* xorshift64*: the same numbers in every run */
static uint64_t random_state = 88172645463325252ull;
static inline uint64_t random64(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717ull;
}

#endif
