/* groth16_prove.c: a proof's sums over the points of its key, all at once. Must not know files or blinding.
 *
 * Two strands run side by side: the quotient and the sum over H, which needs it; and the sums over A, B1, B2
 * and L, whose scalars are the witness, so that they share digits and sorting. Each strand is a series of
 * loops, whose chunks go to whoever is free (threads.h): while one thread transforms, others add points,
 * and at the end all work on what is left. */
#include <stdlib.h>
#include <string.h>

#include "groth16.h"
#include "msm.h"
#include "pages.h"
#include "r1cs.h"
#include "threads.h"

#define WORDS 64 /* of a bit set, filled at a time */

typedef struct {
    const zkr_engine *engine;
    const zkr_proof_points *points;
    const zkr_layout *layout;
    const zkr_fe *witness, *quotient;
    size_t num_witness, domain;
    zkr_g1 a, b1, l, h;
    zkr_g2 b2;
    int status[2];      /* of each strand */
    size_t bad[2];      /* where, of a point that is not canonical */
    int what[2];        /* in which query */
} proof_job;

static int check_points(proof_job *j, int strand, int what, const uint64_t *points, size_t n, size_t coordinates) {
    const size_t at =
        zkr_find_noncanonical(j->engine, &j->engine->k->fq, (const zkr_fe *)(const void *)points, n * coordinates);
    if (at == ZKR_ALL_CANONICAL) return ZKR_OK;
    j->bad[strand] = at / coordinates;
    j->what[strand] = what;
    return ZKR_NOTCANONICAL;
}

static int sum_h(proof_job *j) {
    const zkr_proof_points *p = j->points;
    zkr_fe *own = NULL;
    if (p->num_h == 0) return ZKR_OK;
    int status = check_points(j, 0, ZKR_SUMS_H, p->h, p->num_h, 2);
    if (status == ZKR_OK && j->quotient == NULL) {
        own = zkr_pages_alloc(j->domain * sizeof *own);
        status = own == NULL ? ZKR_NOMEM : zkr_quotient(j->engine, own, j->layout, j->witness);
    }
    if (status == ZKR_OK) {
        zkr_msm_sum sum = {.coordinates = 2, .bases = p->h};
        zkr_msm_batch batch = {.scalars = own != NULL ? own : j->quotient, .n = p->num_h, .sums = &sum, .num_sums = 1};
        status = zkr_msm_run(j->engine, &batch);
        j->h = sum.out.g1;
    }
    free(own);
    return status;
}

typedef struct {
    const zkr_g1 *points;
    size_t n;
    uint64_t *taken;
    _Atomic size_t finite;
} finite_job;

static void find_finite(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    finite_job *j = context;
    size_t count = 0;
    for (size_t word = begin; word < end; word++) {
        uint64_t bits = 0;
        for (size_t i = 64 * word; i < 64 * word + 64 && i < j->n; i++) {
            zkr_g1 point;
            memcpy(&point, (const char *)j->points + i * sizeof point, sizeof point);
            bits |= (uint64_t)!g1_is_infinity(&point) << (i % 64);
        }
        j->taken[word] = bits;
        count += (size_t)__builtin_popcountll(bits);
    }
    j->finite += count;
}

/* The wires of B as bits, and the number of bits before each word; false unless they ascend */
static bool mark_columns(uint64_t *taken, uint32_t *rank, size_t words, const uint32_t *columns, size_t count) {
    memset(taken, 0, words * sizeof *taken);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && columns[i] <= columns[i - 1]) return false;
        taken[columns[i] / 64] |= (uint64_t)1 << (columns[i] % 64);
    }
    uint32_t before = 0;
    for (size_t word = 0; word < words; word++) {
        rank[word] = before;
        before += (uint32_t)__builtin_popcountll(taken[word]);
    }
    return true;
}

static int sum_witness(proof_job *j) {
    const zkr_proof_points *p = j->points;
    const size_t n = j->num_witness, words = n / 64 + 1;
    zkr_msm_sum sums[4];
    zkr_msm_batch batch = {.scalars = j->witness, .n = n, .sums = sums};
    int status = check_points(j, 1, ZKR_SUMS_A, p->a, p->num_a, 2);
    if (status == ZKR_OK) status = check_points(j, 1, ZKR_SUMS_L, p->l, p->num_l, 2);
    if (status == ZKR_OK && p->b1 != NULL) status = check_points(j, 1, ZKR_SUMS_B1, p->b1, p->num_b_points, 2);
    if (status == ZKR_OK && p->b2 != NULL) status = check_points(j, 1, ZKR_SUMS_B2, p->b2, p->num_b_points, 4);
    if (status != ZKR_OK) return status;

    finite_job finite = {.points = (const zkr_g1 *)(const void *)p->a, .n = n, .taken = malloc(words * sizeof(uint64_t))};
    uint64_t *const in_b = malloc(words * sizeof *in_b);
    uint32_t *const rank = malloc(words * sizeof *rank);
    status = ZKR_NOMEM;
    if (finite.taken != NULL && in_b != NULL && rank != NULL) {
        status = ZKR_OK;
        zkr_msm_sum *a = NULL, *l = NULL, *b1 = NULL, *b2 = NULL;
        if (p->num_a > 0) {
            zkr_parallel_for(j->engine->threads, words, WORDS, find_finite, &finite);
            const size_t count = finite.finite;
            sums[batch.num_sums] = (zkr_msm_sum){.coordinates = 2, .bases = p->a, .count = count};
            if (count < n) sums[batch.num_sums].taken = finite.taken;
            if (count > 0) a = &sums[batch.num_sums++];
        }
        if (p->num_l > 0) {
            sums[batch.num_sums] = (zkr_msm_sum){.coordinates = 2, .bases = p->l, .first = n - p->num_l};
            l = &sums[batch.num_sums++];
        }
        if (p->num_b > 0 && (p->b1 != NULL || p->b2 != NULL)) {
            zkr_msm_sum b = {.count = p->num_b};
            if (!mark_columns(in_b, rank, words, p->b_columns, p->num_b)) status = ZKR_BADARGS;
            if (p->num_b < n) b.taken = in_b;
            if (p->num_b < n && p->num_b_points != n) b.rank = rank;
            if (p->b1 != NULL) {
                b.coordinates = 2;
                b.bases = p->b1;
                b1 = &sums[batch.num_sums++];
                *b1 = b;
            }
            if (p->b2 != NULL) {
                b.coordinates = 4;
                b.bases = p->b2;
                b2 = &sums[batch.num_sums++];
                *b2 = b;
            }
        }
        if (status == ZKR_OK) status = zkr_msm_run(j->engine, &batch);
        if (a != NULL) j->a = a->out.g1;
        if (l != NULL) j->l = l->out.g1;
        if (b1 != NULL) j->b1 = b1->out.g1;
        if (b2 != NULL) j->b2 = b2->out.g2;
    }
    free(finite.taken);
    free(in_b);
    free(rank);
    return status;
}

static void run_strand(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    proof_job *j = context;
    for (size_t strand = begin; strand < end; strand++)
        j->status[strand] = strand == 0 ? sum_h(j) : sum_witness(j);
}

int zkr_groth16_sums(const zkr_engine *engine, uint64_t *out, const zkr_proof_points *points, const zkr_layout *layout,
                     const uint64_t *witness, size_t num_witness, const uint64_t *quotient, size_t *bad, int *what) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (what != NULL) *what = ZKR_SUMS_WITNESS;
    const zkr_proof_points *p = points;
    if (engine == NULL || out == NULL || p == NULL || witness == NULL || num_witness > INT32_MAX) return ZKR_BADARGS;
    if ((p->num_a > 0 && (p->a == NULL || p->num_a != num_witness)) || (p->num_l > 0 && p->l == NULL) ||
        p->num_l > num_witness || (p->num_h > 0 && p->h == NULL) || p->num_h > INT32_MAX)
        return ZKR_BADARGS;
    if (p->num_b > num_witness || (p->num_b > 0 && p->b_columns == NULL) ||
        (p->num_b_points != p->num_b && p->num_b_points != num_witness))
        return ZKR_BADARGS;
    for (size_t i = 0; i < p->num_b; i++)
        if (p->b_columns[i] >= num_witness) return ZKR_BADARGS;
    proof_job j = {.engine = engine, .points = p, .layout = layout, .witness = (const zkr_fe *)witness,
                   .quotient = (const zkr_fe *)quotient, .num_witness = num_witness};
    int status = ZKR_OK;
    if (p->num_h > 0 && quotient == NULL) {
        status = zkr_r1cs_check(layout, num_witness);
        if (status != ZKR_OK) return status;
        j.domain = zkr_groth16_domain(layout);
        if (j.domain == 0 || j.domain != p->num_h) return ZKR_BADARGS;
        status = zkr_r1cs_check_values(engine, layout, j.witness, bad);
        if (status != ZKR_OK) return status;
    } else {
        const size_t at = zkr_find_noncanonical(engine, &engine->k->fr, j.witness, num_witness);
        if (at != ZKR_ALL_CANONICAL) {
            if (bad != NULL) *bad = at;
            return ZKR_NOTCANONICAL;
        }
        if (p->num_h > 0 && zkr_find_noncanonical(engine, &engine->k->fr, j.quotient, p->num_h) != ZKR_ALL_CANONICAL)
            return ZKR_BADARGS;
    }
    zkr_parallel_for(engine->threads, 2, 1, run_strand, &j);
    for (int strand = 0; strand < 2; strand++) {
        if (j.status[strand] == ZKR_OK) continue;
        if (bad != NULL && j.status[strand] == ZKR_NOTCANONICAL) *bad = j.bad[strand];
        if (what != NULL && j.status[strand] == ZKR_NOTCANONICAL) *what = j.what[strand];
        return j.status[strand];
    }
    memcpy(out, &j.a, sizeof j.a);
    memcpy(out + 8, &j.b1, sizeof j.b1);
    memcpy(out + 16, &j.b2, sizeof j.b2);
    memcpy(out + 32, &j.l, sizeof j.l);
    memcpy(out + 40, &j.h, sizeof j.h);
    return ZKR_OK;
}

int zkr_engine_set_window(zkr_engine *engine, uint32_t bits) {
    if (engine == NULL || (bits != 0 && (bits < ZKR_MIN_WINDOW || bits > ZKR_MAX_WINDOW))) return ZKR_BADARGS;
    engine->msm_window = bits;
    return ZKR_OK;
}
