/* groth16_quotient.c: the quotient's values. Must not know keys or proofs.
 *
 * P = A B - C vanishes on the n-th roots of unity, so H (X^n - 1) = P is known from P's values at the
 * other 2n-th roots of unity, the odd powers of g, where X^n - 1 = -2. The key's h query is the
 * Lagrange basis over these 2n points, so P's values are the scalars: there is nothing to divide by. */
#include <stdlib.h>
#include <string.h>

#include "groth16.h"
#include "ifma_ntt.h"
#include "ntt.h"
#include "pages.h"
#include "r1cs.h"
#include "threads.h"

#define SLICE 2048

size_t zkr_groth16_domain(const zkr_layout *layout) {
    const size_t most = (size_t)1 << (FR_TWO_ADICITY - 1);
    if (layout == NULL || layout->num_rows > most || layout->num_public > most) return 0;
    const size_t need = layout->num_rows + layout->num_public + 1;
    size_t n = 2;
    while (n < need) n <<= 1;
    return n <= most ? n : 0;
}

typedef struct {
    const zkr_kernels *k;
    zkr_fe *out;
    const zkr_fe *a, *b, *c;
} product_job;

static void product_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const product_job *j = context;
    for (size_t at = begin; at < end; at += SLICE) {
        const size_t n = end - at < SLICE ? end - at : SLICE;
        j->k->fr.mul(j->out + at, j->a + at, j->b + at, n);
        if (j->c != NULL) j->k->fr.sub(j->out + at, j->out + at, j->c + at, n);
    }
}

/* a <- the values of A B - C at the odd powers of g, from A's and B's values at the powers of w; b and c
 * are overwritten. */
static int quotient(const zkr_engine *engine, zkr_fe *a, zkr_fe *b, zkr_fe *c, unsigned log_n) {
    const size_t n = (size_t)1 << log_n, grain = zkr_grain(engine->threads, n, 4, SLICE);
    zkr_fe *const scratch = zkr_pages_alloc(n * sizeof *scratch), *const all[3] = {a, b, c};
    if (scratch == NULL) return ZKR_NOMEM;
    product_job j = {.k = engine->k, .out = c, .a = a, .b = b};
    zkr_parallel_for(engine->threads, n, grain, product_slice, &j);
    int status = ZKR_OK;
    for (int i = 0; i < 3 && status == ZKR_OK; i++) {
        status = zkr_ntt_inverse(engine, all[i], all[i], log_n, false, scratch);
        if (status == ZKR_OK) status = zkr_ntt_forward(engine, all[i], all[i], log_n, true, scratch);
    }
    if (status == ZKR_OK) {
        j = (product_job){.k = engine->k, .out = a, .a = a, .b = b, .c = c};
        zkr_parallel_for(engine->threads, n, grain, product_slice, &j);
    }
    free(scratch);
    return status;
}

int zkr_quotient(const zkr_engine *engine, zkr_fe *a, const zkr_layout *layout, const zkr_fe *w) {
    const size_t n = zkr_groth16_domain(layout), rows = layout->num_rows;
    zkr_fe *const b = zkr_pages_alloc(n * sizeof *b), *const c = zkr_pages_alloc(n * sizeof *c);
    if (b == NULL || c == NULL) {
        free(b);
        free(c);
        return ZKR_NOMEM;
    }
    unsigned log_n = 0;
    while ((size_t)1 << log_n < n) log_n++;
    zkr_fe *const products[3] = {a, b, NULL};
    zkr_r1cs_multiply(engine, products, layout, w);
    memset(a + rows, 0, (n - rows) * sizeof *a);
    memset(b + rows, 0, (n - rows) * sizeof *b);
    memcpy(a + rows, w, (layout->num_public + 1) * sizeof *a);

    int status;
    if (engine->k->ntt8_down_twist != NULL && log_n >= ZKR_NTT8_LEAST)
        status = zkr_ntt8_quotient(engine, a, b, c, log_n);
    else
        status = quotient(engine, a, b, c, log_n);
    free(b);
    free(c);
    return status;
}

int zkr_groth16_quotient(const zkr_engine *engine, uint64_t *out, size_t num_out, const zkr_layout *layout,
                         const uint64_t *witness, size_t num_witness, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (engine == NULL || out == NULL || witness == NULL) return ZKR_BADARGS;
    int status = zkr_r1cs_check(layout, num_witness);
    if (status != ZKR_OK) return status;
    const size_t n = zkr_groth16_domain(layout);
    if (n == 0 || n != num_out) return ZKR_BADARGS;
    status = zkr_r1cs_check_values(engine, layout, (const zkr_fe *)witness, bad);
    if (status != ZKR_OK) return status;
    return zkr_quotient(engine, (zkr_fe *)out, layout, (const zkr_fe *)witness);
}
