/* pairing.c: the ABI's pairing product and Groth16 verification: argument checks, memory, threads. */
#include "pairing.h"

#include <stdlib.h>

#include "engine.h"
#include "threads.h"

#define PROOF_LIMBS 32
#define KEY_LIMBS 56 /* alpha, beta, gamma, delta */

int zkr_pairing_product(const zkr_engine *engine, uint64_t *out, const uint64_t *g1, const uint64_t *g2, size_t n,
                        size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (engine == NULL || out == NULL || (n > 0 && (g1 == NULL || g2 == NULL))) return ZKR_BADARGS;
    const zkr_g1 *p = (const zkr_g1 *)g1;
    const zkr_g2 *q = (const zkr_g2 *)g2;
    const size_t at = engine->k->pairing_check(p, q, n);
    if (at < n) {
        if (bad != NULL) *bad = at;
        return ZKR_BADARGS;
    }
    engine->k->pairing_product((zkr_fe12 *)out, p, q, n);
    return ZKR_OK;
}

typedef struct {
    const zkr_kernels *k;
    const zkr_prepared_key *key;
    uint8_t *holds;
    const zkr_fe *proofs, *publics;
} verify_job;

static void verify_slice(void *context, size_t begin, size_t end, unsigned worker) {
    (void)worker;
    const verify_job *j = context;
    j->k->pairing_verify(j->holds + begin, j->key, j->proofs + begin * (PROOF_LIMBS / 4),
                         j->publics + begin * j->key->num_public, end - begin);
}

int zkr_groth16_verify(const zkr_engine *engine, uint8_t *holds, const uint64_t *vk, size_t num_public,
                       const uint64_t *proofs, const uint64_t *publics, size_t n, size_t *bad) {
    if (bad != NULL) *bad = SIZE_MAX;
    if (engine == NULL || vk == NULL || num_public > UINT32_MAX) return ZKR_BADARGS;
    if (n > SIZE_MAX / PROOF_LIMBS / 8) return ZKR_BADARGS;
    if (n > 0 && (holds == NULL || proofs == NULL || (num_public > 0 && publics == NULL))) return ZKR_BADARGS;
    zkr_prepared_key *key = malloc(sizeof *key);
    zkr_g1 *multiples = malloc((num_public * ZKR_INPUT_MULTIPLES + 1) * sizeof *multiples);
    int status = key == NULL || multiples == NULL ? ZKR_NOMEM : ZKR_OK;
    if (status == ZKR_OK) {
        const size_t fault = engine->k->pairing_prepare(
            key, multiples, (const zkr_g1 *)vk, (const zkr_g2 *)(vk + 8), (const zkr_g2 *)(vk + 24),
            (const zkr_g2 *)(vk + 40), (const zkr_g1 *)(vk + KEY_LIMBS), num_public);
        if (fault != SIZE_MAX) {
            if (bad != NULL) *bad = fault;
            status = ZKR_BADARGS;
        }
    }
    if (status == ZKR_OK) {
        verify_job j = {engine->k, key, holds, (const zkr_fe *)proofs, (const zkr_fe *)publics};
        zkr_parallel_for(engine->threads, n, zkr_grain(engine->threads, n, 16, 1), verify_slice, &j);
    }
    free(key);
    free(multiples);
    return status;
}
