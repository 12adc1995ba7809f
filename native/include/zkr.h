/* zkr.h: the whole C ABI of the native core.
 *
 * Rules of the house. Every function that can fail returns a status; nothing is computed unless it
 * is ZKR_OK (outputs are then undefined, except where said). Arguments go out, in/out, in. Lengths
 * count elements, not bytes. A field element is four little-endian 64-bit limbs; "mont" means
 * x * 2^256 mod p, "canonical" means 0 <= x < p. A G1 point is 8 limbs (x, y), a G2 point 16 (x.c0,
 * x.c1, y.c0, y.c1), affine and Montgomery; all zeros is infinity. Outputs may be the very same
 * array as an input where a function says "in place allowed", otherwise they must not overlap.
 * NULL pointers, lengths that cannot be and limbs >= p give a status, never undefined behaviour.
 *
 * The text between the cdef marks is what Python sees (native/ffi/make_cdef.py reads it): between
 * them only plain C declarations and integer #defines.
 */
#ifndef ZKR_H
#define ZKR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ZKR_API __attribute__((visibility("default")))
#else
#define ZKR_API
#endif

/* cdef-begin */

/* ======================================= status ============================================== */

#define ZKR_OK 0            /* done */
#define ZKR_BADARGS 1       /* an argument cannot be: NULL, a length, an index, an unknown name */
#define ZKR_NOMEM 2         /* memory could not be had */
#define ZKR_INTERNAL 3      /* a bug or a broken system (no entropy, no threads) */
#define ZKR_NOTCANONICAL 4  /* an element is >= its modulus; *bad says which where there is one */
#define ZKR_UNSUPPORTED 5   /* this processor or this build cannot do what was asked for */

ZKR_API const char *zkr_status_text(int status);

/* ======================================= engine ============================================== */

typedef struct zkr_engine zkr_engine;

/* cpu: "portable", "adx", "ifma", or "" for the best this machine has. Unknown: ZKR_BADARGS; known
 * but not here: ZKR_UNSUPPORTED. threads: 1 .. 1024; 1 runs everything on the calling thread. */
ZKR_API int zkr_engine_new(zkr_engine **out, const char *cpu, uint32_t threads);
ZKR_API void zkr_engine_free(zkr_engine *engine);
ZKR_API const char *zkr_engine_cpu(const zkr_engine *engine);
ZKR_API uint32_t zkr_engine_threads(const zkr_engine *engine);
/* ZKR_OK when the named path can run here. */
ZKR_API int zkr_cpu_available(const char *cpu);

/* ======================================= field vectors ======================================= */
/* n elements each; in place allowed. Inputs are checked to be < p: ZKR_NOTCANONICAL, and *bad (may
 * be NULL) is the smallest such index, counted through a, then b. */

ZKR_API int zkr_fr_to_mont(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);
ZKR_API int zkr_fr_from_mont(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);
ZKR_API int zkr_fr_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fr_sub(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fr_mul(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fr_inverse(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);
/* Each of 32 elements x times y^rounds, in place, by `rounds` products each on one thread: what a product
 * costs where nothing but products is done. Montgomery; *bad is 32 for y. */
ZKR_API int zkr_fr_mul_repeat(const zkr_engine *engine, uint64_t *x, const uint64_t *y, size_t rounds, size_t *bad);
ZKR_API int zkr_fq_to_mont(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);
ZKR_API int zkr_fq_from_mont(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);
ZKR_API int zkr_fq_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fq_sub(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fq_mul(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad);
ZKR_API int zkr_fq_inverse(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, size_t *bad);

/* ======================================= NTT ================================================= */
/* n = 1, 2, 4 .. 2^28 Montgomery elements of Fr, natural order in and out, in place allowed. ntt:
 * out[i] = the value at w^i of the polynomial with coefficients a; intt: its inverse. With
 * ZKR_NTT_COSET the points are g w^i, g^2 = w, and n <= 2^27. w = 5^((r-1)/n). */

#define ZKR_NTT_COSET 1

ZKR_API int zkr_fr_ntt(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, uint32_t flags, size_t *bad);
ZKR_API int zkr_fr_intt(const zkr_engine *engine, uint64_t *out, const uint64_t *a, size_t n, uint32_t flags, size_t *bad);

/* ======================================= curve =============================================== */
/* Points affine Montgomery, scalars Montgomery; n < 2^31. Coordinates >= q and scalars >= r give
 * ZKR_NOTCANONICAL, with *bad (may be NULL) the index of the point or scalar and *what one of
 * ZKR_BAD_POINT, ZKR_BAD_SCALAR. Whether points lie on the curve is the caller's to ask; sums of
 * others are without meaning but defined. */

#define ZKR_BAD_POINT 1
#define ZKR_BAD_SCALAR 2

/* out (one point) = sum scalars[i] bases[i] */
ZKR_API int zkr_g1_msm(const zkr_engine *engine, uint64_t *out, const uint64_t *bases, const uint64_t *scalars, size_t n, size_t *bad, int *what);
ZKR_API int zkr_g2_msm(const zkr_engine *engine, uint64_t *out, const uint64_t *bases, const uint64_t *scalars, size_t n, size_t *bad, int *what);
/* out (n points) [i] = scalars[i] base */
ZKR_API int zkr_g1_fixed_base(const zkr_engine *engine, uint64_t *out, const uint64_t *base, const uint64_t *scalars, size_t n, size_t *bad, int *what);
ZKR_API int zkr_g2_fixed_base(const zkr_engine *engine, uint64_t *out, const uint64_t *base, const uint64_t *scalars, size_t n, size_t *bad, int *what);
/* out[i] = a[i] + b[i]; in place allowed; *bad counts through a, then b */
ZKR_API int zkr_g1_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad, int *what);
ZKR_API int zkr_g2_add(const zkr_engine *engine, uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, size_t *bad, int *what);
/* out[i] = 1 or 0; infinity counts as on the curve and in the subgroup, coordinates >= q as not */
ZKR_API int zkr_g1_is_on_curve(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n);
ZKR_API int zkr_g2_is_on_curve(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n);
ZKR_API int zkr_g2_is_in_subgroup(const zkr_engine *engine, uint8_t *out, const uint64_t *points, size_t n);

/* ======================================= vectors of points =================================== */
/* As above; points must have the prime order. In place allowed where out is as long as points. */

#define ZKR_BAD_INDPTR 3
#define ZKR_BAD_ROW 4
#define ZKR_BAD_COEF 5

/* out[i] = scalars[i] points[i]; num_scalars is n, or 1 for one scalar in common */
ZKR_API int zkr_g1_scale(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, const uint64_t *scalars, size_t num_scalars, size_t *bad, int *what);
ZKR_API int zkr_g2_scale(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, const uint64_t *scalars, size_t num_scalars, size_t *bad, int *what);
/* out[i] = (1/n) sum_j w^(-ij) points[j], n = 1, 2, 4 .. 2^28, w as in the NTT */
ZKR_API int zkr_g1_intt_points(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, size_t *bad);
ZKR_API int zkr_g2_intt_points(const zkr_engine *engine, uint64_t *out, const uint64_t *points, size_t n, size_t *bad);

/* A matrix by columns: column j has the entries indptr[j] .. indptr[j+1]-1 */
typedef struct {
    const uint32_t *indptr; /* num_columns + 1, from 0 to num_entries, ascending */
    const uint32_t *rows;   /* num_entries, below the number of points */
    const uint32_t *coefs;  /* num_entries, below num_constants */
    const uint64_t *constants; /* num_constants elements of Fr, mont */
    uint64_t num_columns, num_entries, num_constants;
} zkr_columns;

/* out[j] = sum over column j of constants[coefs[e]] points[rows[e]]. ZKR_BADARGS: *what (ZKR_BAD_INDPTR,
 * ZKR_BAD_ROW, ZKR_BAD_COEF) and *bad, an index into that array, say where; *what is 0 for others.
 * out may not be points. */
ZKR_API int zkr_g1_sparse_sums(const zkr_engine *engine, uint64_t *out, const zkr_columns *m, const uint64_t *points, size_t n, size_t *bad, int *what);
ZKR_API int zkr_g2_sparse_sums(const zkr_engine *engine, uint64_t *out, const zkr_columns *m, const uint64_t *points, size_t n, size_t *bad, int *what);

/* A uniform nonzero scalar from the operating system's generator, which never leaves the handle except
 * in points; zkr_secret_free wipes it. */
typedef struct zkr_secret zkr_secret;

ZKR_API int zkr_secret_new(zkr_secret **out);
ZKR_API void zkr_secret_free(zkr_secret *secret);
/* out[i] = s points[i], or (1/s) points[i] with inverse != 0 */
ZKR_API int zkr_secret_g1_scale(const zkr_engine *engine, const zkr_secret *secret, uint64_t *out, const uint64_t *points, size_t n, int inverse, size_t *bad);
ZKR_API int zkr_secret_g2_scale(const zkr_engine *engine, const zkr_secret *secret, uint64_t *out, const uint64_t *points, size_t n, int inverse, size_t *bad);
/* out[i] = start s^(first + i) points[i]; start NULL counts as one */
ZKR_API int zkr_secret_g1_scale_powers(const zkr_engine *engine, const zkr_secret *secret, const zkr_secret *start, uint64_t *out, const uint64_t *points, size_t n, uint64_t first, size_t *bad);
ZKR_API int zkr_secret_g2_scale_powers(const zkr_engine *engine, const zkr_secret *secret, const zkr_secret *start, uint64_t *out, const uint64_t *points, size_t n, uint64_t first, size_t *bad);

/* ======================================= circuits: Poseidon, replay ========================== */

/* A Poseidon permutation of t = 2 .. 17 lanes over Fr, S-box x^5, in the form that the kernels run.
 * round_constants ((rounds_full + rounds_partial) * t) and mds (t * t, row-major) are canonical;
 * rounds_full even and at least 2, both at most 1024. ZKR_NOTCANONICAL: *bad (may be NULL) counts
 * through the round constants, then the matrix. ZKR_UNSUPPORTED: the matrix has no sparse form (a
 * Cauchy matrix has). */
typedef struct zkr_poseidon zkr_poseidon;

ZKR_API int zkr_poseidon_new(zkr_poseidon **out, uint32_t t, uint32_t rounds_full, uint32_t rounds_partial, const uint64_t *round_constants, const uint64_t *mds, size_t *bad);
ZKR_API void zkr_poseidon_free(zkr_poseidon *poseidon);
/* out[i] (mont) = lane 0 after the permutation of [0, inputs[i][0], .., inputs[i][t-2]] (mont), for i < n.
 * ZKR_NOTCANONICAL: *bad (may be NULL) is the index of the first such element of inputs. */
ZKR_API int zkr_poseidon_hash(const zkr_engine *engine, const zkr_poseidon *poseidon, uint64_t *out, const uint64_t *inputs, size_t n, size_t *bad);

/* A tape (instructions: zkrollup/engine/interface.py, Opcode and Program), checked and compiled.
 * Column 0 is the link that always is one; the first num_inputs own wires are the inputs. On a
 * status below, *offset (may be NULL) is the offset of the word that is wrong. The constants (mont)
 * begin with 0, 1, -1: ZKR_TAPE_CONSTANTS; ZKR_NOTCANONICAL and ZKR_TAPE_CONSTANTS give *offset as
 * an index of constants, ZKR_TAPE_MISSING as that of an own wire. */
#define ZKR_TAPE_OPCODE 64      /* no such instruction */
#define ZKR_TAPE_LENGTH 65      /* the instruction does not have this many words */
#define ZKR_TAPE_TRUNCATED 66   /* the instruction goes beyond the end of the tape */
#define ZKR_TAPE_OPERAND 67     /* no such column or temporary */
#define ZKR_TAPE_UNWRITTEN 68   /* read before it is written */
#define ZKR_TAPE_CONSTANT 69    /* no such constant */
#define ZKR_TAPE_DESTINATION 70 /* not an own wire beyond the inputs, nor a temporary; or a run that leaves them */
#define ZKR_TAPE_REWRITTEN 71   /* an own wire written twice, or both results in one place */
#define ZKR_TAPE_BITS 72        /* more than 254 bits */
#define ZKR_TAPE_MISSING 73     /* an own wire that nothing writes */
#define ZKR_TAPE_CONSTANTS 74   /* the constants do not begin with 0, 1, -1 */
#define ZKR_TAPE_NOT_ONE 75     /* a link 0 that is not one */
typedef struct zkr_program zkr_program;

ZKR_API int zkr_program_new(zkr_program **out, const uint32_t *words, size_t num_words, const uint64_t *constants, size_t num_constants, uint32_t num_links, uint32_t num_inputs, uint32_t num_own, uint32_t num_temporaries, size_t *offset);
ZKR_API void zkr_program_free(zkr_program *program);
/* Memory for one thread while this program is replayed, in bytes */
ZKR_API size_t zkr_program_scratch(const zkr_program *program);
/* For each of `instances`: links (num_links, mont) and inputs (num_inputs, mont) -> out (num_own,
 * mont). ZKR_NOTCANONICAL: *bad (may be NULL) is the first such element, counted through links, then
 * inputs; ZKR_TAPE_NOT_ONE: *bad is the instance whose link 0 is not one. */
ZKR_API int zkr_replay(const zkr_engine *engine, const zkr_program *program, uint64_t *out, const uint64_t *links, const uint64_t *inputs, size_t instances, size_t *bad);

/* ======================================= R1CS and Groth16 ==================================== */
/* Layouts are those of zkrollup/engine/interface.py, where each array's meaning stands. Blocks come in
 * the order of their columns and rows, and overlap in neither. Every index is checked on each call. */

typedef struct {
    const uint32_t *indptr; /* num_indptr = the block's num_rows + 1 */
    const uint32_t *cols;   /* num_entries */
    const uint32_t *coefs;  /* num_entries */
    uint64_t num_indptr, num_entries;
} zkr_matrix;

typedef struct {
    zkr_matrix a, b, c;
    const uint64_t *constants; /* num_constants elements, mont; the first are 0, 1, -1 */
    const uint32_t *links;     /* instances * num_links */
    uint64_t num_constants, num_rows, num_links, num_own, instances, own_base, row_base;
} zkr_block;

typedef struct {
    const zkr_block *blocks;
    uint64_t num_blocks, num_columns, num_public, num_rows;
} zkr_layout;

/* What is wrong with a layout. */
#define ZKR_FAULT_NONE 0
#define ZKR_FAULT_COLUMNS 1   /* counts of columns, rows or public columns */
#define ZKR_FAULT_SIZE 2      /* a block's counts */
#define ZKR_FAULT_OWN_BASE 3  /* its own columns overlap others or leave the layout */
#define ZKR_FAULT_ROW_BASE 4  /* its rows overlap others or leave the layout */
#define ZKR_FAULT_CONSTANTS 5 /* they do not begin with 0, 1, -1 */
#define ZKR_FAULT_LINK 6      /* a link is no column, or an instance's first is not column 0 */
#define ZKR_FAULT_INDPTR 7    /* row pointers do not start at 0, decrease, or end elsewhere */
#define ZKR_FAULT_COLUMN 8    /* an entry's column */
#define ZKR_FAULT_COEF 9      /* an entry's coefficient index */

typedef struct {
    uint32_t kind, matrix; /* matrix: 0, 1, 2 for A, B, C */
    uint64_t block, index; /* index: into links, indptr or entries */
} zkr_layout_fault;

/* ZKR_OK or ZKR_BADARGS; *fault (may be NULL) says where. */
ZKR_API int zkr_layout_check(const zkr_layout *layout, zkr_layout_fault *fault);

/* witness: num_columns elements, mont. ZKR_NOTCANONICAL: *bad (may be NULL) is its element that is
 * >= r, or SIZE_MAX when it is one of a block's constants.
 * products: a, b, c of num_rows elements. violations: num_rows bytes, 1 where A w * B w != C w. */
ZKR_API int zkr_r1cs_products(const zkr_engine *engine, uint64_t *a, uint64_t *b, uint64_t *c, const zkr_layout *layout, const uint64_t *witness, size_t num_witness, size_t *bad);
ZKR_API int zkr_r1cs_violations(const zkr_engine *engine, uint8_t *violated, const zkr_layout *layout, const uint64_t *witness, size_t num_witness, size_t *bad);

/* The smallest power of two >= num_rows + num_public + 1 (at least 2), or 0 when the doubled domain
 * would exceed 2^28. */
ZKR_API size_t zkr_groth16_domain(const zkr_layout *layout);

/* out: num_out = zkr_groth16_domain elements, mont: A B - C at the odd powers of the generator of the
 * doubled domain, where C is A B on the domain. */
ZKR_API int zkr_groth16_quotient(const zkr_engine *engine, uint64_t *out, size_t num_out, const zkr_layout *layout, const uint64_t *witness, size_t num_witness, size_t *bad);

/* A key's points, affine mont, at any address. a: one for each wire, or none. b1, b2: one for each of the
 * num_b wires in b_columns, which ascend (num_b_points = num_b), or one for each wire, of which only those
 * in b_columns are read; NULL leaves the sum away. l: for the last num_l wires. h: one for each value of
 * the quotient, or none. */
typedef struct {
    const uint64_t *a;
    size_t num_a;
    const uint32_t *b_columns;
    size_t num_b;
    const uint64_t *b1, *b2;
    size_t num_b_points;
    const uint64_t *l;
    size_t num_l;
    const uint64_t *h;
    size_t num_h;
} zkr_proof_points;

#define ZKR_SUMS_WITNESS 0
#define ZKR_SUMS_A 1
#define ZKR_SUMS_B1 2
#define ZKR_SUMS_B2 3
#define ZKR_SUMS_L 4
#define ZKR_SUMS_H 5

/* out: 48 limbs, the sums a, b1 (8 each), b2 (16), l, h (8 each) of points times wires, and times the quotient
 * for h; infinity where the points are none. The quotient is computed from layout and witness (mont), unless
 * it is given (num_h elements, mont) or num_h is 0: then layout is not read. Everything is overlapped.
 * ZKR_NOTCANONICAL: *bad and *what (may be NULL) say which element of the witness, SIZE_MAX for a block's
 * constant, or which point of which query. */
ZKR_API int zkr_groth16_sums(const zkr_engine *engine, uint64_t *out, const zkr_proof_points *points, const zkr_layout *layout, const uint64_t *witness, size_t num_witness, const uint64_t *quotient, size_t *bad, int *what);

#define ZKR_MIN_WINDOW 5
#define ZKR_MAX_WINDOW 16

/* For tests and measurements: the bits of an MSM's windows from now on; 0 lets the cost model choose again. */
ZKR_API int zkr_engine_set_window(zkr_engine *engine, uint32_t bits);

/* A one-party setup. The handle holds the secrets and the scalars made from them; they never leave it
 * except as points, and zkr_setup_free wipes them. */
typedef struct zkr_setup zkr_setup;

#define ZKR_SETUP_G1 0 /* alpha, beta, delta */
#define ZKR_SETUP_G2 1 /* beta, gamma, delta */
#define ZKR_SETUP_IC 2
#define ZKR_SETUP_A 3
#define ZKR_SETUP_B1 4
#define ZKR_SETUP_B2 5
#define ZKR_SETUP_L 6
#define ZKR_SETUP_H 7

ZKR_API int zkr_setup_new(const zkr_engine *engine, zkr_setup **out, const zkr_layout *layout, size_t *bad);
/* Points of a part; 0 for a part that does not exist. */
ZKR_API size_t zkr_setup_count(const zkr_setup *setup, int part);
/* The columns whose B polynomial is not zero, ascending: n = the count of ZKR_SETUP_B1. */
ZKR_API int zkr_setup_b_columns(const zkr_setup *setup, uint32_t *out, size_t n);
/* Points begin .. begin+n-1 of a part (8 limbs each, 16 for ZKR_SETUP_G2 and ZKR_SETUP_B2). */
ZKR_API int zkr_setup_points(const zkr_engine *engine, const zkr_setup *setup, uint64_t *out, int part, size_t begin, size_t n);
ZKR_API void zkr_setup_free(zkr_setup *setup);

/* vk: alpha1 | beta2 | gamma2 | delta2 | ic, (56 + 8 (1 + num_public)) limbs, mont. proofs: n times
 * A | B | C, 32 limbs, mont. publics: n * num_public elements, canonical. holds[i] is 1 when proof i
 * holds, and 0 when it does not or is malformed (a coordinate >= q, a point off its curve, outside
 * the subgroup or at infinity, a public input >= r). A malformed key gives ZKR_BADARGS with *bad (may
 * be NULL) the point at fault: 0 alpha, 1 beta, 2 gamma, 3 delta (also when it equals gamma), 4 + i ic. */
ZKR_API int zkr_groth16_verify(const zkr_engine *engine, uint8_t *holds, const uint64_t *vk, size_t num_public, const uint64_t *proofs, const uint64_t *publics, size_t n, size_t *bad);

/* The product of the optimal ate pairings e(g1[i], g2[i]), n >= 0 pairs, as twelve elements of Fq,
 * mont: the coefficients c0, c1 of i in those of v^0, v^1, v^2 of w^0, then of w^1, where w^2 = v,
 * v^3 = 9 + i. Infinity is allowed. A point off its curve or outside the subgroup, or a coordinate
 * >= q: ZKR_BADARGS, *bad (may be NULL) is the pair. */
ZKR_API int zkr_pairing_product(const zkr_engine *engine, uint64_t *out, const uint64_t *g1, const uint64_t *g2, size_t n, size_t *bad);

/* ======================================= files =============================================== */
/* Bytes as files have them, little-endian, at any address. Nothing is read beyond the lengths given.
 * Where a file is wrong, the status is ZKR_BADARGS and *fault (may be NULL) says what and where. */

#define ZKR_FILE_NONE 0
#define ZKR_FILE_MATRIX 1 /* entry `index` is of no matrix: `found` */
#define ZKR_FILE_ROW 2    /* its row is not below the domain */
#define ZKR_FILE_COLUMN 3 /* its column (or that of a term of combination `index`) is not below the columns */
#define ZKR_FILE_VALUE 4  /* its value is >= r; for a combination `found` is the value's offset */
#define ZKR_FILE_PUBLIC 5 /* the last rows are not those of the public columns */
#define ZKR_FILE_TERMS 6  /* combination `index` has `found` terms, more than there is room for */
#define ZKR_FILE_END 7    /* `found` bytes are left */
#define ZKR_FILE_TOTAL 8  /* `found` terms in all, 2^32 or more */
#define ZKR_TOO_MANY 80   /* status: more constants than room; num_constants says how many */

typedef struct {
    uint32_t kind;
    uint64_t found, index;
} zkr_file_fault;

/* Where the coefficients of a .zkey go. Row r of A has entries indptr_a[r] .. indptr_a[r + 1] - 1 of cols
 * and coefs, row r of B the same of indptr_b, counted from entry begin_b. Constants (mont) begin with 0,
 * 1, -1; the others come in the order of their first appearance. */
typedef struct {
    uint32_t *indptr_a, *indptr_b; /* domain + 1 each */
    uint32_t *cols, *coefs;        /* as many as there are entries */
    uint64_t *constants;           /* max_constants elements */
    uint64_t max_constants;
    uint64_t num_rows, num_a, begin_b, num_b, num_constants; /* out; without the public columns' rows */
} zkr_zkey_entries;

/* data: count entries of 44 bytes. Takes at most 40 bytes a distinct value besides what `out` points to. */
ZKR_API int zkr_zkey_read_entries(const zkr_engine *engine, zkr_zkey_entries *out, const uint8_t *data, size_t count, uint64_t domain, uint64_t columns, uint64_t num_public, zkr_file_fault *fault);

/* Where the constraints of an .r1cs go: A, B, C in this order. Constants are canonical, else as above. */
typedef struct {
    uint32_t *indptr[3];          /* rows + 1 each: as zkr_r1cs_walk wrote them */
    uint32_t *cols[3], *coefs[3]; /* room[m] each */
    uint64_t *constants;          /* max_constants elements */
    uint64_t room[3], max_constants;
    uint64_t num_constants; /* out */
} zkr_r1cs_terms;

/* data: `rows` constraints in `length` bytes. Writes row pointers, rows + 1 each. */
ZKR_API int zkr_r1cs_walk(uint32_t *const *indptr, const uint8_t *data, size_t length, uint64_t rows, zkr_file_fault *fault);
ZKR_API int zkr_r1cs_read_terms(const zkr_engine *engine, zkr_r1cs_terms *out, const uint8_t *data, size_t length, uint64_t rows, uint64_t columns, zkr_file_fault *fault);

/* out (mont) = n canonical elements of Fr, 32 bytes each; must not overlap. ZKR_NOTCANONICAL: *bad (may be
 * NULL) is the first that is >= r. */
ZKR_API int zkr_fr_from_bytes(const zkr_engine *engine, uint64_t *out, const uint8_t *data, size_t n, size_t *bad);

/* ======================================= BLAKE2b ============================================= */
/* The chain value (8 words) after n more blocks of 128 bytes, of which none is the last, at any address, on
 * the calling thread; `hashed` bytes came before, and with these fewer than 2^64. */
ZKR_API int zkr_blake2b_blocks(uint64_t *chain, const uint8_t *blocks, size_t n, uint64_t hashed);

/* cdef-end */

#endif
