/* poseidon.c: deriving the optimised form of a Poseidon permutation, and hashing in bulk. */
#include "poseidon.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "ifma_split.h"
#include "threads.h"

#define MAX_T ZKR_POSEIDON_MAX_T
/* Hashes a thread takes at a time: some hundred microseconds of work, 32 groups of eight lanes. */
#define GRAIN 256

typedef zkr_fe square[MAX_T][MAX_T];

/* Solves m^T x = y for the lower right (t-1) x (t-1) part of m by Gauss-Jordan elimination; indices
 * run from 1. False when the part is singular. */
static bool solve_transposed(zkr_fe *x, square m, const zkr_fe *y, uint32_t t) {
    square a;
    zkr_fe b[MAX_T];
    for (uint32_t i = 1; i < t; i++) {
        b[i] = y[i];
        for (uint32_t j = 1; j < t; j++) a[i][j] = m[j][i];
    }
    for (uint32_t i = 1; i < t; i++) {
        uint32_t pivot = i;
        while (pivot < t && fr_is_zero(&a[pivot][i])) pivot++;
        if (pivot == t) return false;
        zkr_fe swap, inverse, step;
        for (uint32_t j = i; j < t; j++) swap = a[i][j], a[i][j] = a[pivot][j], a[pivot][j] = swap;
        swap = b[i], b[i] = b[pivot], b[pivot] = swap;
        fr_inv(&inverse, &a[i][i]);
        for (uint32_t j = i; j < t; j++) fr_mul(&a[i][j], &a[i][j], &inverse);
        fr_mul(&b[i], &b[i], &inverse);
        for (uint32_t k = 1; k < t; k++) {
            if (k == i) continue;
            const zkr_fe factor = a[k][i];
            for (uint32_t j = i; j < t; j++) {
                fr_mul(&step, &factor, &a[i][j]);
                fr_sub(&a[k][j], &a[k][j], &step);
            }
            fr_mul(&step, &factor, &b[i]);
            fr_sub(&b[k], &b[k], &step);
        }
    }
    for (uint32_t i = 1; i < t; i++) x[i] = b[i];
    return true;
}

/* out = dense matrix of the next earlier round: row 0 is row 0 of m, the others are d m, where d has
 * only its lower right part (row 0 and column 0 are those of the identity). */
static void times_mds(square out, square d, square m, uint32_t t) {
    for (uint32_t j = 0; j < t; j++) out[0][j] = m[0][j];
    for (uint32_t i = 1; i < t; i++) {
        for (uint32_t j = 0; j < t; j++) {
            zkr_fe sum = {{0, 0, 0, 0}}, term;
            for (uint32_t k = 1; k < t; k++) {
                fr_mul(&term, &d[i][k], &m[k][j]);
                fr_add(&sum, &sum, &term);
            }
            out[i][j] = sum;
        }
    }
}

/* Constants: what a partial round adds to lanes 1.. passes its S-box untouched, so it may be added
 * after that round's matrix instead, multiplied by it; only lane 0's constant stays. Matrices: with
 * X = S D, D = diag(1, X's lower right part D'), S sparse, D commutes with the S-box before it, and
 * joins the matrix of the round before. S = [[x00, v], [w, I]], w = X's column 0 and v D' = X's row 0.
 * D leaves lane 0 alone, so the constants are not touched. */
static bool derive(zkr_poseidon *p, const zkr_fe *round_constants, const zkr_fe *mds) {
    const uint32_t t = p->t, half = p->full / 2;
    zkr_fe *c = p->constants;
    square m, x, d;
    for (uint32_t i = 0; i < t; i++)
        for (uint32_t j = 0; j < t; j++) m[i][j] = x[i][j] = c[zkr_poseidon_mds(p) + i * t + j] = mds[i * t + j];

    for (uint32_t round = 0; round < half; round++)
        memcpy(&c[zkr_poseidon_row(p, round)], &round_constants[(size_t)round * t], t * sizeof(zkr_fe));
    zkr_fe pending[MAX_T] = {{{0}}};
    for (uint32_t round = 0; round <= p->partial; round++) {
        zkr_fe sum[MAX_T];
        for (uint32_t j = 0; j < t; j++)
            fr_add(&sum[j], &pending[j], &round_constants[(size_t)(half + round) * t + j]);
        if (round == p->partial) {
            memcpy(&c[zkr_poseidon_row(p, half)], sum, t * sizeof(zkr_fe));
            break;
        }
        c[zkr_poseidon_partial(p, round)] = sum[0];
        for (uint32_t i = 0; i < t; i++) {
            memset(&pending[i], 0, sizeof pending[i]);
            for (uint32_t j = 1; j < t; j++) {
                zkr_fe term;
                fr_mul(&term, &m[i][j], &sum[j]);
                fr_add(&pending[i], &pending[i], &term);
            }
        }
    }
    for (uint32_t round = half + 1; round < p->full; round++)
        memcpy(&c[zkr_poseidon_row(p, round)], &round_constants[(size_t)(round + p->partial) * t], t * sizeof(zkr_fe));

    for (uint32_t round = p->partial; round-- > 0;) {
        zkr_fe *out = &c[zkr_poseidon_partial(p, round) + 1];
        out[0] = x[0][0];
        if (!solve_transposed(out, x, x[0], t)) return false;
        for (uint32_t i = 1; i < t; i++) out[t - 1 + i] = x[i][0];
        memcpy(d, x, sizeof d);
        times_mds(x, d, m, t);
    }
    for (uint32_t i = 0; i < t; i++)
        for (uint32_t j = 0; j < t; j++) c[zkr_poseidon_entry(p) + i * t + j] = x[i][j];
    return true;
}

/* canonical -> a Montgomery copy, or NULL */
static zkr_fe *copy_to_mont(const uint64_t *values, size_t n, int *status, size_t *bad, size_t offset) {
    zkr_fe *copy = malloc(n * sizeof *copy);
    if (copy == NULL) {
        *status = ZKR_NOMEM;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        zkr_fe x;
        memcpy(&x, &values[4 * i], sizeof x);
        if (!fr_is_canonical(&x)) {
            if (bad != NULL) *bad = offset + i;
            *status = ZKR_NOTCANONICAL;
            free(copy);
            return NULL;
        }
        fr_to_mont(&copy[i], &x);
    }
    return copy;
}

int zkr_poseidon_new(zkr_poseidon **out, uint32_t t, uint32_t rounds_full, uint32_t rounds_partial,
                     const uint64_t *round_constants, const uint64_t *mds, size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (out == NULL) return ZKR_BADARGS;
    *out = NULL;
    if (round_constants == NULL || mds == NULL) return ZKR_BADARGS;
    if (t < ZKR_POSEIDON_MIN_T || t > ZKR_POSEIDON_MAX_T) return ZKR_BADARGS;
    if (rounds_full < 2 || rounds_full % 2 != 0 || rounds_full > ZKR_POSEIDON_MAX_ROUNDS) return ZKR_BADARGS;
    if (rounds_partial > ZKR_POSEIDON_MAX_ROUNDS) return ZKR_BADARGS;
    const size_t num_round_constants = (size_t)(rounds_full + rounds_partial) * t;
    int status = ZKR_OK;
    zkr_fe *plain = copy_to_mont(round_constants, num_round_constants, &status, bad, 0);
    zkr_fe *matrix = plain == NULL ? NULL : copy_to_mont(mds, (size_t)t * t, &status, bad, num_round_constants);
    zkr_poseidon *p = matrix == NULL ? NULL : calloc(1, sizeof *p);
    if (p != NULL) {
        p->t = t;
        p->full = rounds_full;
        p->partial = rounds_partial;
        const size_t n = zkr_poseidon_num_constants(p);
        p->constants = calloc(n, sizeof *p->constants);
        p->limbs = malloc(n * sizeof *p->limbs);
        if (p->constants == NULL || p->limbs == NULL) {
            status = ZKR_NOMEM;
        } else if (!derive(p, plain, matrix)) {
            status = ZKR_UNSUPPORTED;
        } else {
            for (size_t i = 0; i < n; i++) zkr_fr_split52_mont(p->limbs[i], &p->constants[i]);
        }
    } else if (status == ZKR_OK) {
        status = ZKR_NOMEM;
    }
    free(plain);
    free(matrix);
    if (status != ZKR_OK) {
        zkr_poseidon_free(p);
        return status;
    }
    *out = p;
    return ZKR_OK;
}

void zkr_poseidon_free(zkr_poseidon *p) {
    if (p == NULL) return;
    free(p->constants);
    free(p->limbs);
    free(p);
}

typedef struct {
    const zkr_kernels *k;
    const zkr_poseidon *p;
    zkr_fe *out;
    const zkr_fe *inputs;
} hash_job;

static void hash_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const hash_job *j = context;
    j->k->poseidon(j->out + begin, j->inputs + begin * (j->p->t - 1), end - begin, j->p);
}

int zkr_poseidon_hash(const zkr_engine *engine, const zkr_poseidon *p, uint64_t *out, const uint64_t *inputs, size_t n,
                      size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (engine == NULL || p == NULL || n > SIZE_MAX / sizeof(zkr_fe) / MAX_T) return ZKR_BADARGS;
    if (n == 0) return ZKR_OK;
    if (out == NULL || inputs == NULL) return ZKR_BADARGS;
    const size_t at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)inputs, n * (p->t - 1));
    if (at != ZKR_ALL_CANONICAL) {
        if (bad != NULL) *bad = at;
        return ZKR_NOTCANONICAL;
    }
    hash_job j = {.k = engine->k, .p = p, .out = (zkr_fe *)out, .inputs = (const zkr_fe *)inputs};
    zkr_parallel_for(engine->threads, n, GRAIN, hash_slice, &j);
    return ZKR_OK;
}
