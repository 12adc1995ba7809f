/* pairing.h: what the pairing kernels work on. */
#ifndef ZKR_PAIRING_H
#define ZKR_PAIRING_H

#include "curve.h"
#include "tower.h"

/* The line 1 + l1 (x/y) w + l3 (1/y) w^3 at a point (x, y) of G1. */
typedef struct {
    zkr_fe2 l1, l3;
} zkr_line;

/* Multiples 1 .. 15 of one input's point. */
#define ZKR_INPUT_WINDOW 4
#define ZKR_INPUT_MULTIPLES 15

/* A verifying key made ready, once for all its proofs. */
typedef struct {
    zkr_fe12 alpha_beta;               /* Miller loop of (-alpha, beta) */
    zkr_line gamma[MILLER_STEPS];  /* lines of -gamma */
    zkr_line delta[MILLER_STEPS];  /* lines of -delta */
    zkr_g1 constant;                   /* ic[0] */
    const zkr_g1 *multiples;           /* num_public * ZKR_INPUT_MULTIPLES: those of ic[1 + i] */
    size_t num_public;
} zkr_prepared_key;

#endif
