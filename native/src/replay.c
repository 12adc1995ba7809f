/* replay.c: checking and compiling a tape once, and replaying it over many instances. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "ifma_split.h"
#include "threads.h"

/* The ABI's instructions; zkrollup/engine/interface.py says what each does. */
enum {
    OP_MUL = 1,
    OP_LC = 2,
    OP_ADD = 3,
    OP_SUB = 4,
    OP_COPY = 5,
    OP_BITS = 16,
    OP_INVERSE_OR_ZERO = 17,
    OP_DIVIDE_OR_ZERO = 18,
    OP_IS_ZERO = 19,
    OP_DIVMOD = 20,
    OP_LESS_THAN = 21
};

#define TEMPORARY 0x80000000u
#define MAX_BITS 254u
#define MAX_COUNT (1u << 28) /* links, inputs, own wires, temporaries */
#define NONE UINT32_MAX

/* A *value* is a column or a temporary, numbered columns first. */
typedef struct {
    const uint32_t *words;
    size_t num_words, num_constants;
    uint32_t num_links, num_inputs, num_own, num_temporaries, num_columns;
    uint8_t *written;    /* per value that an instruction may write */
    uint32_t *last_read; /* per value: number (from 1) of the last instruction that reads it, or 0 */
    /* emission */
    zkr_program *program;
    size_t code_length, code_capacity;
    uint32_t *slot;      /* per value: where it lies, or 0; slot 0 is for results that nothing reads */
    uint8_t *bound;      /* per value: it is below bound * p */
    uint32_t *free_slots;
    size_t num_free, free_capacity;
    uint8_t *kind; /* per constant: 0, 1, 2 for zero, one, minus one, else 3 */
    bool no_memory;
} compiler;

/* ---- the shape of an instruction ------------------------------------------------------------ */

typedef struct {
    uint32_t op, length;
    const uint32_t *words;
    uint32_t num_dst, num_reads;
} instruction;

/* i-th operand read, as a word of the tape */
static uint32_t read_at(const instruction *in, uint32_t i) {
    switch (in->op) {
    case OP_LC: return in->words[3 + 2 * i];
    case OP_DIVMOD: return in->words[3 + i];
    default: return in->words[2 + i];
    }
}

static uint32_t read_offset(const instruction *in, uint32_t i) {
    return in->op == OP_LC ? 3 + 2 * i : in->op == OP_DIVMOD ? 3 + i : 2 + i;
}

/* i-th destination: BITS writes a run of neighbours */
static uint32_t dst_at(const instruction *in, uint32_t i) {
    return in->op == OP_BITS ? in->words[1] + i : in->words[1 + i];
}

static int decode(instruction *in, const uint32_t *words, size_t left) {
    in->words = words;
    in->op = words[0] & 0xff;
    in->length = words[0] >> 8;
    in->num_dst = 1;
    in->num_reads = 2;
    uint32_t length = 4;
    switch (in->op) {
    case OP_MUL:
    case OP_ADD:
    case OP_SUB:
    case OP_DIVIDE_OR_ZERO:
    case OP_LESS_THAN: break;
    case OP_COPY:
    case OP_INVERSE_OR_ZERO:
    case OP_IS_ZERO:
        length = 3;
        in->num_reads = 1;
        break;
    case OP_BITS:
        in->num_reads = 1;
        break;
    case OP_DIVMOD:
        length = 5;
        in->num_dst = 2;
        break;
    case OP_LC:
        length = in->length;
        if (length < 3 || length % 2 == 0) return ZKR_TAPE_LENGTH;
        in->num_reads = (length - 3) / 2;
        break;
    default: return ZKR_TAPE_OPCODE;
    }
    if (in->length != length) return ZKR_TAPE_LENGTH;
    if (length > left) return ZKR_TAPE_TRUNCATED;
    if (in->op == OP_BITS) {
        in->num_dst = words[3];
        if (in->num_dst > MAX_BITS) return ZKR_TAPE_BITS;
    }
    return ZKR_OK;
}

/* ---- validation ----------------------------------------------------------------------------- */

/* The number of the value that an operand names, or NONE */
static uint32_t value_of(const compiler *c, uint32_t operand) {
    if (operand & TEMPORARY) {
        const uint32_t index = operand & ~TEMPORARY;
        return index < c->num_temporaries ? c->num_columns + index : NONE;
    }
    return operand < c->num_columns ? operand : NONE;
}

static int validate(compiler *c, size_t *offset) {
    size_t at = 0;
    uint32_t number = 0;
    const uint32_t first_result = c->num_links + c->num_inputs;
    while (at < c->num_words) {
        instruction in;
        *offset = at;
        const int status = decode(&in, c->words + at, c->num_words - at);
        if (status != ZKR_OK) {
            if (status == ZKR_TAPE_BITS) *offset = at + 3;
            return status;
        }
        number++;
        for (uint32_t i = 0; i < in.num_reads; i++) {
            *offset = at + read_offset(&in, i);
            const uint32_t value = value_of(c, read_at(&in, i));
            if (value == NONE) return ZKR_TAPE_OPERAND;
            if (value >= first_result && !c->written[value]) return ZKR_TAPE_UNWRITTEN;
            c->last_read[value] = number;
        }
        if (in.op == OP_LC) {
            for (uint32_t i = 2; i < in.length; i += 2) {
                *offset = at + i;
                if (in.words[i] >= c->num_constants) return ZKR_TAPE_CONSTANT;
            }
        }
        for (uint32_t i = 0; i < in.num_dst; i++) {
            *offset = at + 1 + (in.op == OP_DIVMOD ? i : 0);
            const uint32_t dst = dst_at(&in, i), value = value_of(c, dst);
            if (value == NONE || value < first_result) return ZKR_TAPE_DESTINATION;
            if ((dst ^ in.words[1]) & TEMPORARY && in.op == OP_BITS) return ZKR_TAPE_DESTINATION;
            if (value < c->num_columns && c->written[value]) return ZKR_TAPE_REWRITTEN;
            if (i == 1 && in.op == OP_DIVMOD && dst == in.words[1]) return ZKR_TAPE_REWRITTEN;
            c->written[value] = 1;
        }
        at += in.length;
    }
    for (uint32_t column = first_result; column < c->num_columns; column++) {
        *offset = column - c->num_links;
        if (!c->written[column]) return ZKR_TAPE_MISSING;
    }
    return ZKR_OK;
}

/* ---- emission ------------------------------------------------------------------------------- */

static void emit(compiler *c, uint32_t word) {
    if (c->code_length == c->code_capacity) {
        const size_t capacity = c->code_capacity < 1024 ? 1024 : 2 * c->code_capacity;
        uint32_t *grown = realloc(c->program->code, capacity * sizeof *grown);
        if (grown == NULL) {
            c->no_memory = true;
            return;
        }
        c->program->code = grown;
        c->code_capacity = capacity;
    }
    c->program->code[c->code_length++] = word;
}

static uint32_t new_slot(compiler *c) {
    return c->num_free > 0 ? c->free_slots[--c->num_free] : c->program->num_slots++;
}

static void free_slot(compiler *c, uint32_t slot) {
    if (c->num_free == c->free_capacity) {
        const size_t capacity = c->free_capacity < 256 ? 256 : 2 * c->free_capacity;
        uint32_t *grown = realloc(c->free_slots, capacity * sizeof *grown);
        if (grown == NULL) {
            c->no_memory = true;
            return;
        }
        c->free_slots = grown;
        c->free_capacity = capacity;
    }
    c->free_slots[c->num_free++] = slot;
}

/* The slot of an operand, loading a link or input when this is its first use */
static uint32_t fetch(compiler *c, uint32_t operand) {
    const uint32_t value = value_of(c, operand);
    if (c->slot[value] == 0) {
        c->slot[value] = new_slot(c);
        c->bound[value] = 16;
        emit(c, value < c->num_links ? ZKR_REPLAY_LINK : ZKR_REPLAY_INPUT);
        emit(c, c->slot[value]);
        emit(c, value < c->num_links ? value : value - c->num_links);
    }
    return c->slot[value];
}

static uint32_t bound_of(const compiler *c, uint32_t operand) { return c->bound[value_of(c, operand)]; }

static void release_reads(compiler *c, const instruction *in, uint32_t number) {
    for (uint32_t i = 0; i < in->num_reads; i++) {
        const uint32_t value = value_of(c, read_at(in, i));
        if (c->last_read[value] != number || c->slot[value] == 0) continue;
        free_slot(c, c->slot[value]);
        c->slot[value] = 0;
    }
}

/* A slot for a result below bound * p, and the words "slot wire" */
static void emit_dst(compiler *c, uint32_t dst, uint32_t number, uint32_t bound) {
    const uint32_t value = value_of(c, dst);
    if (c->slot[value] != 0) free_slot(c, c->slot[value]); /* a temporary written anew */
    c->slot[value] = c->last_read[value] > number ? new_slot(c) : 0;
    c->bound[value] = (uint8_t)bound;
    emit(c, c->slot[value]);
    emit(c, dst & TEMPORARY ? ZKR_NO_WIRE : dst - c->num_links);
}

static uint32_t ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

/* The opcode word, with the reduction where the bound asks for it; *bound becomes that of the result */
static uint32_t bounded(uint32_t op, uint32_t *bound) {
    if (*bound <= ZKR_REPLAY_BOUND) return op;
    *bound = 2;
    return op | ZKR_REPLAY_REDUCE;
}

/* One ZKR_REPLAY_LINEAR from terms first .. of an LC, as many as the bounds allow. Terms with the
 * coefficients one and minus one are added as they are; the others, and those that would not fit,
 * are products. `carried` is the slot of the sum so far (0 at first). Two passes over the terms:
 * one counts, one writes. Returns the first term that was not taken. */
static uint32_t emit_linear(compiler *c, const instruction *in, uint32_t first, uint32_t carried,
                            uint32_t carried_bound, uint32_t into, uint32_t number, uint32_t *result_bound) {
    uint32_t num_plus = 0, num_minus = 0, num_terms = 0, sum = 1, minus_sum = 0, products = 0, last = first;
    if (carried != 0) {
        num_plus++;
        sum += carried_bound;
    }
    for (; last < in->num_reads && num_terms < ZKR_REPLAY_MAX_TERMS; last++) {
        const uint8_t kind = c->kind[in->words[4 + 2 * last]];
        const uint32_t bound = bound_of(c, read_at(in, last));
        if (kind == 0) continue;
        if (kind < 3 && sum + bound <= ZKR_REPLAY_MAX_SUM) {
            sum += bound;
            if (kind == 1) {
                num_plus++;
            } else {
                num_minus++;
                minus_sum += bound;
            }
        } else {
            num_terms++;
            products += bound;
        }
    }
    uint32_t bound = sum + (num_terms > 0 ? ceil_div(products, 84) + 1 : 0);
    const bool done = last == in->num_reads;
    emit(c, bounded(ZKR_REPLAY_LINEAR, &bound));
    *result_bound = bound;
    const size_t dst = c->code_length;
    emit(c, into);
    emit(c, ZKR_NO_WIRE);
    emit(c, first == 0 ? in->words[2] : 0);
    emit(c, minus_sum);
    emit(c, num_plus);
    emit(c, num_minus);
    emit(c, num_terms);
    for (uint32_t wanted = 1; wanted <= 3; wanted++) {
        uint32_t so_far = 1;
        if (carried != 0) {
            so_far += carried_bound;
            if (wanted == 1) emit(c, carried);
        }
        for (uint32_t i = first; i < last; i++) {
            const uint32_t coef = in->words[4 + 2 * i];
            const uint32_t value = value_of(c, read_at(in, i));
            uint32_t kind = c->kind[coef];
            if (kind == 0) continue;
            if (kind < 3 && so_far + c->bound[value] <= ZKR_REPLAY_MAX_SUM)
                so_far += c->bound[value];
            else
                kind = 3;
            if (kind != wanted) continue;
            emit(c, c->slot[value]);
            if (kind == 3) emit(c, coef);
        }
    }
    if (done && !c->no_memory) { /* the destination may lie where an operand did: it is written last */
        const size_t end = c->code_length;
        release_reads(c, in, number);
        emit_dst(c, in->words[1], number, bound);
        if (!c->no_memory) {
            c->program->code[dst] = c->program->code[end];
            c->program->code[dst + 1] = c->program->code[end + 1];
            c->code_length = end;
        }
    }
    return last;
}

static void emit_lc(compiler *c, const instruction *in, uint32_t number) {
    for (uint32_t i = 0; i < in->num_reads; i++) fetch(c, read_at(in, i));
    uint32_t carried = 0, bound = 0, first = 0;
    do {
        const uint32_t into = in->num_reads - first > ZKR_REPLAY_MAX_TERMS && carried == 0 ? new_slot(c) : carried;
        first = emit_linear(c, in, first, carried, bound, into, number, &bound);
        carried = into;
    } while (first < in->num_reads && !c->no_memory);
    if (carried != 0) free_slot(c, carried);
}

static void emit_instruction(compiler *c, const instruction *in, uint32_t number) {
    if (in->op == OP_LC) {
        emit_lc(c, in, number);
        return;
    }
    uint32_t slots[2] = {0, 0}, bounds[2] = {0, 0};
    for (uint32_t i = 0; i < in->num_reads; i++) {
        slots[i] = fetch(c, read_at(in, i));
        bounds[i] = bound_of(c, read_at(in, i));
    }
    release_reads(c, in, number);
    uint32_t bound, second = 0;
    switch (in->op) {
    case OP_MUL:
        bound = ceil_div(bounds[0] * bounds[1], 84) + 1; /* at most 256/84 + 1 */
        emit(c, ZKR_REPLAY_MUL);
        break;
    case OP_ADD:
        bound = bounds[0] + bounds[1];
        emit(c, bounded(ZKR_REPLAY_ADD, &bound));
        break;
    case OP_SUB:
        second = bounds[1];
        bound = bounds[0] + bounds[1];
        emit(c, bounded(ZKR_REPLAY_SUB, &bound));
        break;
    case OP_COPY:
        bound = bounds[0];
        emit(c, ZKR_REPLAY_COPY);
        break;
    case OP_BITS:
        emit(c, ZKR_REPLAY_BITS);
        emit(c, slots[0]);
        emit(c, in->num_dst);
        for (uint32_t i = 0; i < in->num_dst; i++) emit_dst(c, dst_at(in, i), number, 1);
        return;
    case OP_INVERSE_OR_ZERO:
        bound = 2;
        emit(c, ZKR_REPLAY_INVERSE);
        break;
    case OP_DIVIDE_OR_ZERO:
        bound = 2; /* 16 * 2/84 + 1 */
        emit(c, ZKR_REPLAY_DIVIDE);
        break;
    case OP_IS_ZERO:
        bound = 1;
        emit(c, ZKR_REPLAY_IS_ZERO);
        break;
    case OP_DIVMOD:
        emit(c, ZKR_REPLAY_DIVMOD);
        emit_dst(c, in->words[1], number, 16);
        emit_dst(c, in->words[2], number, 16);
        emit(c, slots[0]);
        emit(c, slots[1]);
        return;
    default: /* OP_LESS_THAN */
        bound = 1;
        emit(c, ZKR_REPLAY_LESS);
        break;
    }
    emit_dst(c, in->words[1], number, bound);
    for (uint32_t i = 0; i < in->num_reads; i++) emit(c, slots[i]);
    if (in->op == OP_SUB) emit(c, second);
}

static void compile(compiler *c) {
    uint32_t number = 0;
    c->program->num_slots = 1;
    for (size_t at = 0; at < c->num_words && !c->no_memory;) {
        instruction in;
        (void)decode(&in, c->words + at, c->num_words - at); /* was checked */
        emit_instruction(c, &in, ++number);
        at += in.length;
    }
    emit(c, ZKR_REPLAY_END);
}

/* ---- the ABI -------------------------------------------------------------------------------- */

static int copy_constants(compiler *c, const uint64_t *constants, size_t *offset) {
    zkr_program *p = c->program;
    const zkr_fe zero = {{0, 0, 0, 0}};
    zkr_fe minus_one;
    fr_sub(&minus_one, &zero, &fr_one);
    const zkr_fe special[3] = {zero, fr_one, minus_one};
    for (size_t i = 0; i < c->num_constants; i++) {
        memcpy(&p->constants[i], constants + 4 * i, sizeof(zkr_fe));
        *offset = i;
        if (!fr_is_canonical(&p->constants[i])) return ZKR_NOTCANONICAL;
        if (i < 3 && !fr_eq(&p->constants[i], &special[i])) return ZKR_TAPE_CONSTANTS;
        zkr_fr_split52_mont(p->limbs[i], &p->constants[i]);
        uint8_t kind = 0;
        while (kind < 3 && !fr_eq(&p->constants[i], &special[kind])) kind++;
        c->kind[i] = kind;
    }
    return ZKR_OK;
}

int zkr_program_new(zkr_program **out, const uint32_t *words, size_t num_words, const uint64_t *constants,
                    size_t num_constants, uint32_t num_links, uint32_t num_inputs, uint32_t num_own,
                    uint32_t num_temporaries, size_t *offset) {
    size_t unused;
    if (offset == NULL) offset = &unused;
    *offset = SIZE_MAX;
    if (out == NULL) return ZKR_BADARGS;
    *out = NULL;
    if ((words == NULL && num_words > 0) || constants == NULL || num_constants < 3) return ZKR_BADARGS;
    if (num_words >= UINT32_MAX || num_constants >= UINT32_MAX) return ZKR_BADARGS;
    if (num_links < 1 || num_links > MAX_COUNT || num_own > MAX_COUNT || num_temporaries > MAX_COUNT) return ZKR_BADARGS;
    if (num_inputs > num_own) return ZKR_BADARGS;
    const size_t num_values = (size_t)num_links + num_own + num_temporaries;
    compiler c = {.words = words,
                  .num_words = num_words,
                  .num_constants = num_constants,
                  .num_links = num_links,
                  .num_inputs = num_inputs,
                  .num_own = num_own,
                  .num_temporaries = num_temporaries,
                  .num_columns = num_links + num_own};
    c.written = calloc(num_values, 1);
    c.last_read = calloc(num_values, sizeof *c.last_read);
    c.slot = calloc(num_values, sizeof *c.slot);
    c.bound = calloc(num_values, 1);
    c.kind = malloc(num_constants);
    c.program = calloc(1, sizeof *c.program);
    int status = ZKR_NOMEM;
    if (c.written != NULL && c.last_read != NULL && c.slot != NULL && c.bound != NULL && c.kind != NULL &&
        c.program != NULL) {
        c.program->num_links = num_links;
        c.program->num_inputs = num_inputs;
        c.program->num_own = num_own;
        c.program->num_constants = num_constants;
        c.program->constants = malloc(num_constants * sizeof *c.program->constants);
        c.program->limbs = malloc(num_constants * sizeof *c.program->limbs);
        if (c.program->constants != NULL && c.program->limbs != NULL) {
            status = copy_constants(&c, constants, offset);
            if (status == ZKR_OK) status = validate(&c, offset);
            if (status == ZKR_OK) {
                compile(&c);
                if (c.no_memory) status = ZKR_NOMEM;
            }
        }
    }
    free(c.written);
    free(c.last_read);
    free(c.slot);
    free(c.bound);
    free(c.kind);
    free(c.free_slots);
    if (status != ZKR_OK) {
        zkr_program_free(c.program);
        return status;
    }
    *out = c.program;
    return ZKR_OK;
}

void zkr_program_free(zkr_program *p) {
    if (p == NULL) return;
    free(p->code);
    free(p->constants);
    free(p->limbs);
    free(p);
}

size_t zkr_program_scratch(const zkr_program *p) { return p == NULL ? 0 : (size_t)p->num_slots * ZKR_SLOT_BYTES; }

typedef struct {
    const zkr_kernels *k;
    const zkr_program *p;
    const zkr_fe *links, *inputs;
    zkr_fe *out;
    size_t instances, slot_bytes;
    char *slots;
} replay_job;

static void replay_blocks(void *context, size_t begin, size_t end, unsigned worker) {
    const replay_job *j = context;
    const zkr_program *p = j->p;
    for (size_t i = begin; i < end; i++) {
        const size_t first = i * ZKR_LANES;
        const zkr_replay_block block = {
            .links = j->links + first * p->num_links,
            .inputs = p->num_inputs == 0 ? NULL : j->inputs + first * p->num_inputs,
            .out = p->num_own == 0 ? NULL : j->out + first * p->num_own,
            .lanes = j->instances - first < ZKR_LANES ? j->instances - first : ZKR_LANES,
            .slots = j->slots + worker * j->slot_bytes,
        };
        for (size_t lane = 0; lane < block.lanes && p->num_inputs > 0; lane++)
            memcpy(block.out + lane * p->num_own, block.inputs + lane * p->num_inputs, p->num_inputs * sizeof(zkr_fe));
        j->k->replay(p, &block);
    }
}

int zkr_replay(const zkr_engine *engine, const zkr_program *p, uint64_t *out, const uint64_t *links,
               const uint64_t *inputs, size_t instances, size_t *bad) {
    if (bad != NULL) *bad = ZKR_ALL_CANONICAL;
    if (engine == NULL || p == NULL) return ZKR_BADARGS;
    if (instances == 0) return ZKR_OK;
    const size_t widest = p->num_own > p->num_links ? p->num_own : p->num_links;
    if (instances > SIZE_MAX / 2 / sizeof(zkr_fe) / widest) return ZKR_BADARGS;
    if (links == NULL || (inputs == NULL && p->num_inputs > 0) || (out == NULL && p->num_own > 0)) return ZKR_BADARGS;
    const size_t num_links = instances * p->num_links, num_inputs = instances * p->num_inputs;
    size_t at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)links, num_links);
    if (at == ZKR_ALL_CANONICAL && num_inputs > 0) {
        at = zkr_find_noncanonical(engine, &engine->k->fr, (const zkr_fe *)inputs, num_inputs);
        if (at != ZKR_ALL_CANONICAL) at += num_links;
    }
    if (at != ZKR_ALL_CANONICAL) {
        if (bad != NULL) *bad = at;
        return ZKR_NOTCANONICAL;
    }
    for (size_t i = 0; i < instances; i++) {
        if (!fr_eq((const zkr_fe *)links + i * p->num_links, &fr_one)) {
            if (bad != NULL) *bad = i;
            return ZKR_TAPE_NOT_ONE;
        }
    }
    const size_t blocks = (instances - 1) / ZKR_LANES + 1;
    const size_t workers = blocks < engine->threads ? blocks : engine->threads;
    replay_job j = {.k = engine->k,
                    .p = p,
                    .links = (const zkr_fe *)links,
                    .inputs = (const zkr_fe *)inputs,
                    .out = (zkr_fe *)out,
                    .instances = instances,
                    .slot_bytes = zkr_program_scratch(p)};
    if (j.slot_bytes / ZKR_SLOT_BYTES != p->num_slots || j.slot_bytes > SIZE_MAX / 2 / workers) return ZKR_NOMEM;
    j.slots = aligned_alloc(64, workers * j.slot_bytes); /* 320 is a multiple of 64 */
    if (j.slots == NULL) return ZKR_NOMEM;
    zkr_parallel_for((unsigned)workers, blocks, 1, replay_blocks, &j);
    free(j.slots);
    return ZKR_OK;
}
