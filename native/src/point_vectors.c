/* point_vectors.c: points times scalars, inverse transforms of points and sparse sums of points.
 *
 * Everything comes down to two kernels: batch-affine sums (6 products each) and `scale`, a point times a
 * scalar (about a hundred and fifty times as much). So the work is arranged around the number of
 * scalings: the transform leaves out twiddles that are one and folds 1/n into others, and a sparse sum
 * first adds up what a column multiplies by the same constant.
 */
#include "point_vectors.h"

#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "groth16.h"
#include "ntt.h"
#include "random.h"
#include "threads.h"

#define CHUNK 256   /* points scaled by one call of the kernel */
#define PIECE 2048  /* entries of a sparse matrix that one task sums */
#define SLICE 4096  /* powers that one task makes */

/* ---- powers of a root ------------------------------------------------------------------------ */

typedef struct {
    const zkr_kernels *k;
    zkr_fe *out;
    zkr_fe ratio;
} powers_job;

static void powers_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const powers_job *j = context;
    zkr_fe start;
    zkr_fr_pow(&start, &j->ratio, begin);
    j->k->fr_powers(j->out + begin, &start, &j->ratio, end - begin);
}

static size_t reversed(size_t i, unsigned bits) {
    size_t r = 0;
    for (unsigned b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
    return r;
}

/* ---- constants of a sparse matrix ------------------------------------------------------------ */

/* Constants that are equal up to sign make a class, numbered by absolute value: 0 stands for zero, 1
 * for one. */
typedef struct {
    uint32_t *of;   /* [constant]: class | 2^31 when the class's value is to be negated */
    zkr_fe *values; /* [class], canonical and at most (r - 1) / 2 */
} classes;

typedef struct {
    zkr_fe value;
    uint32_t index, negated;
} classed;

static int compare_classed(const void *a, const void *b) {
    const zkr_fe *const x = &((const classed *)a)->value, *const y = &((const classed *)b)->value;
    for (int i = 3; i >= 0; i--)
        if (x->l[i] != y->l[i]) return x->l[i] < y->l[i] ? -1 : 1;
    return 0;
}

static void classes_free(classes *c) {
    free(c->of);
    free(c->values);
}

static int classes_make(const zkr_engine *engine, classes *c, const zkr_fe *constants, size_t n) {
    classed *const all = malloc((n + 1) * sizeof *all);
    c->of = malloc((n + 1) * sizeof *c->of);
    c->values = calloc(n + 2, sizeof *c->values);
    if (all == NULL || c->of == NULL || c->values == NULL) {
        free(all);
        classes_free(c);
        return ZKR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        engine->k->fr.from_mont(&all[i].value, &constants[i], 1);
        all[i].negated = halve_range(&all[i].value);
        all[i].index = (uint32_t)i;
    }
    qsort(all, n, sizeof *all, compare_classed);
    c->values[1].l[0] = 1;
    uint32_t last = 1;
    for (size_t i = 0; i < n; i++) {
        const bool zero = zkr_fe_is_zero(&all[i].value);
        if (!zero && !zkr_fe_eq(&all[i].value, &c->values[last])) c->values[++last] = all[i].value;
        c->of[all[i].index] = (zero ? 0 : last) | all[i].negated << 31;
    }
    free(all);
    return ZKR_OK;
}

static int compare_keys(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_keys(uint64_t *keys, size_t n) {
    if (n > 16) {
        qsort(keys, n, sizeof *keys, compare_keys);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* ---- the two groups -------------------------------------------------------------------------- */

#define GROUP_BODY "point_vectors_group.inc.h"
#include "groups.inc.h"
