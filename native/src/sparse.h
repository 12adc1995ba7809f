/* sparse.h: what the sparse kernels work on. */
#ifndef ZKR_SPARSE_H
#define ZKR_SPARSE_H

#include "field.h"

/* The constants that every block begins with; they take no multiplication. */
enum { ZKR_COEF_ZERO = 0, ZKR_COEF_ONE = 1, ZKR_COEF_MINUS_ONE = 2 };

/* Words of one column of eight instances, for the kernels that take eight at a time. */
#define ZKR_COLUMN8 ((size_t)40)

/* CSR; indices were checked by whoever made it. */
typedef struct {
    const uint32_t *indptr, *cols, *coefs;
    const zkr_fe *constants;
} zkr_sparse;

/* Where a column's value is: global[links[c]] for c < num_links, else own[c - num_links]. */
typedef struct {
    const zkr_fe *global, *own;
    const uint32_t *links;
    uint32_t num_links;
} zkr_gather;

#endif
