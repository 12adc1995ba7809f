/* groth16_setup.c: a one-party setup (Groth, "On the size of pairing-based non-interactive arguments",
 * eprint 2016/260, with the B query in both groups and the h query over a Lagrange basis).
 *
 * tau, alpha, beta, gamma, delta come from the operating system. They and everything computed from
 * them live in one zkr_setup, or in scratch that is wiped before it is freed; only points leave. */
#include <stdlib.h>
#include <string.h>

#include "groth16.h"
#include "msm.h"
#include "ntt.h"
#include "r1cs.h"
#include "random.h"
#include "threads.h"

#define SLICE 1024
#define COLUMNS 512

struct zkr_setup {
    size_t num_columns, num_public, domain, num_b;
    zkr_fe tau, alpha, beta, gamma, delta;
    zkr_fe *a; /* num_columns: A_j(tau) */
    zkr_fe *b; /* num_columns, then the num_b nonzero ones: B_j(tau) */
    zkr_fe *l; /* num_columns: (beta A_j + alpha B_j + C_j)(tau) over gamma, then over delta */
    zkr_fe *h; /* domain */
    uint32_t *b_columns;
    zkr_fixed_g1 g1; /* tables of the generators' multiples: no secrets */
    zkr_fixed_g2 g2;
};

/* ---- memory that held secrets --------------------------------------------------------------- */

static zkr_fe *secret_alloc(size_t n) { return calloc(n == 0 ? 1 : n, sizeof(zkr_fe)); }

static void secret_free(zkr_fe *at, size_t n) {
    if (at == NULL) return;
    zkr_wipe(at, n * sizeof *at);
    free(at);
}

void zkr_setup_free(zkr_setup *setup) {
    if (setup == NULL) return;
    secret_free(setup->a, setup->num_columns);
    secret_free(setup->b, setup->num_columns);
    secret_free(setup->l, setup->num_columns);
    secret_free(setup->h, setup->domain);
    free(setup->b_columns);
    zkr_fixed_free_g1(&setup->g1);
    zkr_fixed_free_g2(&setup->g2);
    zkr_wipe(setup, sizeof *setup);
    free(setup);
}

/* ---- secrets -------------------------------------------------------------------------------- */

static int draw(zkr_setup *s) {
    zkr_fe power;
    int status = ZKR_OK;
    do { /* tau^(2n) = 1 on the doubled domain */
        status = zkr_random_fr(&s->tau);
        zkr_fr_pow(&power, &s->tau, 2 * (uint64_t)s->domain);
    } while (status == ZKR_OK && fr_eq(&power, &fr_one));
    zkr_wipe(&power, sizeof power);
    zkr_fe *const rest[4] = {&s->alpha, &s->beta, &s->gamma, &s->delta};
    for (int i = 0; i < 4 && status == ZKR_OK; i++) status = zkr_random_fr(rest[i]);
    while (status == ZKR_OK && fr_eq(&s->gamma, &s->delta)) status = zkr_random_fr(&s->delta);
    return status;
}

/* ---- Lagrange polynomials at tau ------------------------------------------------------------ */

typedef struct {
    const zkr_kernels *k;
    zkr_fe *out, *scratch;
    zkr_fe tau, first, ratio, scale;
} lagrange_job;

static void lagrange_slice(void *context, size_t begin, size_t end, unsigned worker) {
    const lagrange_job *j = context;
    for (size_t at = begin; at < end; at += SLICE) {
        const size_t n = end - at < SLICE ? end - at : SLICE;
        zkr_fe start;
        zkr_fr_pow(&start, &j->ratio, at);
        fr_mul(&start, &start, &j->first);
        j->k->fr_lagrange(j->out + at, &j->tau, &start, &j->ratio, &j->scale, j->scratch + (size_t)worker * SLICE, n);
        zkr_wipe(&start, sizeof start);
    }
    zkr_wipe_stack();
}

/* out[i] = over * L_i(tau), i < n, where L_i = x_i (tau^m - 1) / (m (tau - x_i)) are the Lagrange
 * polynomials of a domain of m elements: m = n and x_i = w^i, or `doubled`, m = 2n and x_i = g w^i, the
 * odd powers of that domain's generator g. */
static int lagrange(const zkr_engine *engine, zkr_fe *out, const zkr_setup *s, bool doubled, const zkr_fe *over) {
    const size_t n = s->domain, order = doubled ? 2 * n : n;
    unsigned log_n = 0;
    while ((size_t)1 << log_n < n) log_n++;
    lagrange_job j = {.k = engine->k, .out = out, .tau = s->tau, .first = fr_one};
    zkr_ntt_root(&j.ratio, log_n);
    if (doubled) zkr_ntt_root(&j.first, log_n + 1);
    zkr_fe t;
    zkr_fr_pow(&j.scale, &s->tau, order);
    fr_sub(&j.scale, &j.scale, &fr_one);
    fr_from_u64(&t, order);
    fr_inv(&t, &t);
    fr_mul(&j.scale, &j.scale, &t);
    fr_mul(&j.scale, &j.scale, over);
    const size_t num_scratch = (size_t)engine->threads * SLICE;
    j.scratch = secret_alloc(num_scratch);
    if (j.scratch != NULL)
        zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 8, SLICE), lagrange_slice, &j);
    const int status = j.scratch == NULL ? ZKR_NOMEM : ZKR_OK;
    secret_free(j.scratch, num_scratch);
    zkr_wipe(&j, sizeof j);
    zkr_wipe(&t, sizeof t);
    return status;
}

/* ---- transposed products -------------------------------------------------------------------- */

/* A template's matrix by columns; the columns' entries stay in the order of their rows. */
typedef struct {
    uint32_t *indptr, *rows, *coefs;
} columns_form;

static void columns_free(columns_form *t) {
    free(t->indptr);
    free(t->rows);
    free(t->coefs);
}

static int columns_make(columns_form *t, const zkr_matrix *m, size_t num_rows, size_t num_columns) {
    const size_t entries = m->num_entries;
    t->indptr = calloc(num_columns + 2, sizeof *t->indptr);
    t->rows = malloc((entries + 1) * sizeof *t->rows);
    t->coefs = malloc((entries + 1) * sizeof *t->coefs);
    if (t->indptr == NULL || t->rows == NULL || t->coefs == NULL) {
        columns_free(t);
        return ZKR_NOMEM;
    }
    /* A counting sort: indptr[c + 2] counts, then indptr[c + 1] is where column c's next entry goes,
     * and at the end where column c + 1 begins. */
    for (size_t k = 0; k < entries; k++) t->indptr[m->cols[k] + 2]++;
    for (size_t c = 2; c < num_columns + 2; c++) t->indptr[c] += t->indptr[c - 1];
    for (size_t row = 0; row < num_rows; row++)
        for (uint32_t k = m->indptr[row]; k < m->indptr[row + 1]; k++) {
            const uint32_t to = t->indptr[m->cols[k] + 1]++;
            t->rows[to] = (uint32_t)row;
            t->coefs[to] = m->coefs[k];
        }
    return ZKR_OK;
}

typedef struct {
    const zkr_kernels *k;
    const zkr_block *block;
    zkr_sparse by_columns;
    const zkr_fe *lagrange;
    zkr_fe *out;   /* all columns */
    zkr_fe *links; /* instances * num_links: each instance's share in its link columns */
    size_t slices;
} columns_job;

static void columns_slices(void *context, size_t from, size_t to, unsigned worker) {
    (void)worker;
    const columns_job *j = context;
    const zkr_block *b = j->block;
    const size_t columns = b->num_links + b->num_own;
    for (size_t at = from; at < to; at++) {
        const size_t instance = at / j->slices, begin = at % j->slices * COLUMNS;
        const size_t end = columns - begin < COLUMNS ? columns : begin + COLUMNS;
        const zkr_gather gather = {.own = j->lagrange + b->row_base + instance * b->num_rows};
        const size_t middle = end < b->num_links ? end : begin > b->num_links ? begin : b->num_links;
        if (begin < middle)
            j->k->sparse_rows(j->links + instance * b->num_links + begin, &j->by_columns, &gather, begin, middle);
        if (middle < end)
            j->k->sparse_rows(j->out + b->own_base + instance * b->num_own + (middle - b->num_links),
                              &j->by_columns, &gather, middle, end);
    }
    zkr_wipe_stack();
}

/* out[j] += (column j of one matrix) . lagrange, for one block. The own columns of an instance are its
 * own, so they are written, in parallel; what instances give to shared columns is kept apart and added
 * afterwards. Blocks whose links lead to a later block's own columns force the order: all blocks' own
 * columns first, then all links. */
static int transpose_block(const zkr_engine *engine, columns_job *j, const zkr_block *b, int m) {
    columns_form t;
    const int status = columns_make(&t, zkr_block_matrix(b, m), b->num_rows, b->num_links + b->num_own);
    if (status != ZKR_OK) return status;
    j->block = b;
    j->by_columns = (zkr_sparse){t.indptr, t.rows, t.coefs, (const zkr_fe *)b->constants};
    j->slices = (b->num_links + b->num_own + COLUMNS - 1) / COLUMNS;
    const size_t n = j->slices * b->instances;
    zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 16, 1), columns_slices, j);
    columns_free(&t);
    return ZKR_OK;
}

/* out[j] = the values at tau of one matrix's column polynomials; out holds num_columns zeros. */
static int transpose(const zkr_engine *engine, zkr_fe *out, const zkr_layout *layout, int m, const zkr_fe *lagrange) {
    size_t num_links = 0;
    for (size_t at = 0; at < layout->num_blocks; at++)
        num_links += layout->blocks[at].instances * layout->blocks[at].num_links;
    zkr_fe *const links = secret_alloc(num_links);
    if (links == NULL) return ZKR_NOMEM;
    columns_job j = {.k = engine->k, .lagrange = lagrange, .out = out, .links = links};
    int status = ZKR_OK;
    for (size_t at = 0; at < layout->num_blocks && status == ZKR_OK; at++) {
        const zkr_block *b = &layout->blocks[at];
        status = transpose_block(engine, &j, b, m);
        j.links += b->instances * b->num_links;
    }
    const zkr_fe *share = links;
    for (size_t at = 0; at < layout->num_blocks && status == ZKR_OK; at++) {
        const zkr_block *b = &layout->blocks[at];
        const size_t n = b->instances * b->num_links;
        for (size_t k = 0; k < n; k++) fr_add(&out[b->links[k]], &out[b->links[k]], &share[k]);
        share += n;
    }
    secret_free(links, num_links);
    return status;
}

/* ---- the scalars ---------------------------------------------------------------------------- */

typedef struct {
    const zkr_kernels *k;
    zkr_fe *l, *scratch;
    const zkr_fe *a, *b;
    zkr_fe for_a, for_b, for_c;
} combine_job;

/* l = for_a a + for_b b + for_c l */
static void combine_slice(void *context, size_t begin, size_t end, unsigned worker) {
    const combine_job *j = context;
    zkr_fe *const t = j->scratch + (size_t)worker * SLICE;
    for (size_t at = begin; at < end; at += SLICE) {
        const size_t n = end - at < SLICE ? end - at : SLICE;
        zkr_fe *const l = j->l + at;
        j->k->fr.scale(l, l, &j->for_c, n);
        j->k->fr.scale(t, j->a + at, &j->for_a, n);
        j->k->fr.add(l, l, t, n);
        j->k->fr.scale(t, j->b + at, &j->for_b, n);
        j->k->fr.add(l, l, t, n);
    }
    zkr_wipe_stack();
}

/* Columns begin .. end-1 of s->l, which holds C_j(tau), become the combination over `divisor`. */
static int combine(const zkr_engine *engine, zkr_setup *s, const zkr_fe *divisor, size_t begin, size_t end) {
    const size_t num_scratch = (size_t)engine->threads * SLICE, n = end - begin;
    combine_job j = {.k = engine->k, .l = s->l + begin, .a = s->a + begin, .b = s->b + begin};
    j.scratch = secret_alloc(num_scratch);
    if (j.scratch == NULL) return ZKR_NOMEM;
    fr_inv(&j.for_c, divisor);
    fr_mul(&j.for_a, &j.for_c, &s->beta);
    fr_mul(&j.for_b, &j.for_c, &s->alpha);
    zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 8, SLICE), combine_slice, &j);
    secret_free(j.scratch, num_scratch);
    zkr_wipe(&j, sizeof j);
    return ZKR_OK;
}

/* The nonzero values of b move to its front, their columns are noted. */
static int compact_b(zkr_setup *s) {
    s->num_b = 0;
    for (size_t c = 0; c < s->num_columns; c++) s->num_b += !fr_is_zero(&s->b[c]);
    s->b_columns = malloc((s->num_b + 1) * sizeof *s->b_columns);
    if (s->b_columns == NULL) return ZKR_NOMEM;
    size_t to = 0;
    for (size_t c = 0; c < s->num_columns; c++) {
        if (fr_is_zero(&s->b[c])) continue;
        s->b[to] = s->b[c];
        s->b_columns[to++] = (uint32_t)c;
    }
    return ZKR_OK;
}

static int fill(const zkr_engine *engine, zkr_setup *s, const zkr_layout *layout) {
    zkr_fe *const basis = secret_alloc(s->domain);
    int status = basis == NULL ? ZKR_NOMEM : draw(s);
    if (status == ZKR_OK) status = lagrange(engine, basis, s, false, &fr_one);
    zkr_fe *const values[3] = {s->a, s->b, s->l};
    for (int m = 0; m < 3 && status == ZKR_OK; m++) status = transpose(engine, values[m], layout, m, basis);
    if (status == ZKR_OK) /* the additional rows: A is the public column */
        for (size_t c = 0; c <= s->num_public; c++) fr_add(&s->a[c], &s->a[c], &basis[layout->num_rows + c]);
    secret_free(basis, s->domain);
    if (status == ZKR_OK) status = combine(engine, s, &s->gamma, 0, s->num_public + 1);
    if (status == ZKR_OK) status = combine(engine, s, &s->delta, s->num_public + 1, s->num_columns);
    if (status == ZKR_OK) status = compact_b(s);
    if (status == ZKR_OK) {
        zkr_fe over_delta;
        fr_inv(&over_delta, &s->delta);
        status = lagrange(engine, s->h, s, true, &over_delta);
        zkr_wipe(&over_delta, sizeof over_delta);
    }
    zkr_wipe_stack();
    return status;
}

/* ---- ABI ------------------------------------------------------------------------------------ */

int zkr_setup_new(const zkr_engine *engine, zkr_setup **out, const zkr_layout *layout, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (out == NULL) return ZKR_BADARGS;
    *out = NULL;
    if (engine == NULL) return ZKR_BADARGS;
    int status = zkr_layout_check(layout, NULL);
    if (status != ZKR_OK) return status;
    const size_t domain = zkr_groth16_domain(layout);
    if (domain == 0) return ZKR_BADARGS;
    status = zkr_r1cs_check_values(engine, layout, NULL, bad);
    if (status != ZKR_OK) return status;
    zkr_setup *const s = calloc(1, sizeof *s);
    if (s == NULL) return ZKR_NOMEM;
    s->num_columns = layout->num_columns;
    s->num_public = layout->num_public;
    s->domain = domain;
    s->a = secret_alloc(s->num_columns);
    s->b = secret_alloc(s->num_columns);
    s->l = secret_alloc(s->num_columns);
    s->h = secret_alloc(domain);
    status = s->a == NULL || s->b == NULL || s->l == NULL || s->h == NULL ? ZKR_NOMEM : fill(engine, s, layout);
    if (status == ZKR_OK) {
        const size_t in_g1 = 2 * s->num_columns + s->num_b + s->domain;
        status = zkr_fixed_new_g1(engine, &s->g1, &g1_generator, in_g1);
    }
    if (status == ZKR_OK) status = zkr_fixed_new_g2(engine, &s->g2, &g2_generator, s->num_b);
    if (status == ZKR_OK) *out = s;
    else zkr_setup_free(s);
    return status;
}

size_t zkr_setup_count(const zkr_setup *setup, int part) {
    if (setup == NULL) return 0;
    switch (part) {
    case ZKR_SETUP_G1:
    case ZKR_SETUP_G2: return 3;
    case ZKR_SETUP_IC: return setup->num_public + 1;
    case ZKR_SETUP_A: return setup->num_columns;
    case ZKR_SETUP_B1:
    case ZKR_SETUP_B2: return setup->num_b;
    case ZKR_SETUP_L: return setup->num_columns - setup->num_public - 1;
    case ZKR_SETUP_H: return setup->domain;
    default: return 0;
    }
}

int zkr_setup_b_columns(const zkr_setup *setup, uint32_t *out, size_t n) {
    if (setup == NULL || n != setup->num_b || (n > 0 && out == NULL)) return ZKR_BADARGS;
    if (n > 0) memcpy(out, setup->b_columns, n * sizeof *out);
    return ZKR_OK;
}

int zkr_setup_points(const zkr_engine *engine, const zkr_setup *setup, uint64_t *out, int part, size_t begin,
                     size_t n) {
    if (engine == NULL || setup == NULL) return ZKR_BADARGS;
    const size_t count = zkr_setup_count(setup, part);
    if (begin > count || n > count - begin || (n > 0 && out == NULL)) return ZKR_BADARGS;
    if (n == 0) return ZKR_OK;
    const bool over_fq2 = part == ZKR_SETUP_G2 || part == ZKR_SETUP_B2;
    zkr_fe single[3];
    const zkr_fe *scalars = single;
    switch (part) {
    case ZKR_SETUP_G1:
    case ZKR_SETUP_G2:
        single[0] = part == ZKR_SETUP_G1 ? setup->alpha : setup->beta;
        single[1] = part == ZKR_SETUP_G1 ? setup->beta : setup->gamma;
        single[2] = setup->delta;
        break;
    case ZKR_SETUP_A: scalars = setup->a; break;
    case ZKR_SETUP_B1:
    case ZKR_SETUP_B2: scalars = setup->b; break;
    case ZKR_SETUP_IC: scalars = setup->l; break;
    case ZKR_SETUP_L: scalars = setup->l + setup->num_public + 1; break;
    default: scalars = setup->h; break;
    }
    const int status = over_fq2 ? zkr_fixed_many_g2(engine, (zkr_g2 *)out, &setup->g2, scalars + begin, n)
                                : zkr_fixed_many_g1(engine, (zkr_g1 *)out, &setup->g1, scalars + begin, n);
    zkr_wipe(single, sizeof single);
    return status;
}
