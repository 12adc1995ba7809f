/* ifma_curve_group.inc.h: sums of many pairs of affine points on eight lanes, included by
 * kernels_ifma_curve.c for G1 and G2.
 *
 * Expects G(name), B(name) (64-bit base field), L(name) (lanes of it), SETTLE, FE, V, POINT, CHAINS
 * (vectors of eight that go together, a power of two).
 *
 * Batch-affine addition: with d = x2 - x1 and e = y2 - y1, lambda = e/d, x3 = lambda^2 - x1 - x2,
 * y3 = lambda (x1 - x3) - y1. The inverses of up to IFMA_PAIRS denominators are had from one by
 * Montgomery's trick, along CHAINS * 8 chains of products: backwards over the pairs to multiply up,
 * forwards to take apart and add. Six products an addition.
 *
 * Scale: coordinates stand as x 2^256, and a product of lanes divides by 2^260. The one inverse is
 * scaled so that each 1/d comes out as 2^262/d; then lambda comes as 2^258 lambda, its square as
 * 2^256 lambda^2, and with 4 (x1 - x3) in place of x1 - x3 so does y3. Nothing is ever converted.
 *
 * Bounds in units of p: coordinates are weak, d and e below 3.1, the chains, inverses and lambda below
 * 2 (times 3.1, over 84, plus 1; over Fq2 over 21), 4 (x1 - x3) below 12.4.
 *
 * Lanes in which d might be 0 or a point infinite are told by one limb (false alarms do no harm) and
 * looked at one by one: a sum that needs no addition gets d = 1 and its result afterwards, a doubling
 * d = 2 y1 and e = 3 x1^2.
 */

/* Where the time goes, in ns an addition, on a Zen 5 core at 4.2 GHz with a busy neighbour (each part alone
 * in a loop over the first-level cache; 8192 entries in segments of 32; medians of runs that alternate):
 *
 *                                          G1                    G2
 *   products                    5 x 1.72 + 1.55 = 10.2   5 x 4.9 + 4.0 = 28.5
 *   coordinates to lanes             6 x 0.25 =  1.5         12 x 0.25 =  3.0
 *   lanes to memory, kept products              0.8                      1.6
 *   differences, two made weak                  1.9                      3.8
 *   inversions, 0.9 us each and the chains      1.1                      2
 *   sum of these                               15.5                     39
 *   measured, bases in the second-level cache  21                       50
 *   measured, 64 MB (G1), 32 MB (G2) of bases  24                       54
 *   the same without huge pages                26 to 30
 *
 * A pass as a loop of single vectors, loads beside products, keeps the multipliers busier than a loop of
 * loads and one of products. Code counts too: unrolled over CHAINS and with products of Fq2 inlined, G2's
 * passes took 75 KB, more than a core's instruction cache, and 12 ns more. Tried without effect: 2 to 8
 * CHAINS, products of Fq as calls, points fetched ahead again in the second pass, inversions shared by 1024
 * or 4096 pairs. Fetching 12 vectors ahead is a little better than 32 or 64. */

/* Where the k-th pair is and its sum goes. ADD: a[k], b[k], out[k]. ENTRIES: bases first[k] and second[k],
 * negated where bit 31 is set. NEIGHBOURS: out[first[k]] and the next. Both: out[to[k]]. The lists are
 * filled up to a multiple of eight with the last pair again, which does no harm to add twice. */
typedef struct {
    const POINT *a, *b;
    const uint32_t *first, *second, *to;
    POINT *out;
    size_t count;
} G(pairs);

typedef struct {
    uint64_t a[8], b[8], out[8]; /* addresses of points */
    __mmask8 minus_a, minus_b;   /* lanes in which the point is to be negated */
} __attribute__((aligned(64))) G(octet);

/* the addresses of eight points */
ZKR_V52_INLINE void G(addresses)(uint64_t at[8], const POINT *points, const __m256i index) {
    const __m512i offset = _mm512_slli_epi64(_mm512_cvtepu32_epi64(index), sizeof(POINT) == 64 ? 6 : 7);
    _Static_assert(sizeof(POINT) == 64 || sizeof(POINT) == 128, "a shift for the size of a point");
    _mm512_store_si512((void *)at, _mm512_add_epi64(offset, _mm512_set1_epi64((long long)(uintptr_t)points)));
}

ZKR_V52_INLINE __m256i G(eight)(const uint32_t *list) { return _mm256_loadu_si256((const __m256i *)(const void *)list); }

ZKR_V52_INLINE void G(octet_of)(G(octet) *o, const G(pairs) *p, const size_t vector, const int mode, const bool out) {
    const size_t k = 8 * vector;
    o->minus_a = o->minus_b = 0;
    if (mode == IFMA_ADD) {
        const __m256i last = _mm256_set1_epi32((int)(p->count - 1));
        const __m256i index = _mm256_add_epi32(_mm256_set1_epi32((int)k), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        const __m256i lanes = _mm256_min_epu32(index, last);
        G(addresses)(o->a, p->a, lanes);
        G(addresses)(o->b, p->b, lanes);
        if (out) G(addresses)(o->out, p->out, lanes);
    } else if (mode == IFMA_ENTRIES) {
        const __m256i first = G(eight)(p->first + k), second = G(eight)(p->second + k);
        const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
        o->minus_a = _mm256_movepi32_mask(first);
        o->minus_b = _mm256_movepi32_mask(second);
        G(addresses)(o->a, p->a, _mm256_and_si256(first, magnitude));
        G(addresses)(o->b, p->a, _mm256_and_si256(second, magnitude));
        if (out) G(addresses)(o->out, p->out, G(eight)(p->to + k));
    } else {
        G(addresses)(o->a, p->out, G(eight)(p->first + k));
        G(addresses)(o->b, p->out + 1, G(eight)(p->first + k));
        if (out) G(addresses)(o->out, p->out, G(eight)(p->to + k));
    }
}

/* both points of a lane as the 64-bit path would hold them */
static void G(octet_points)(POINT *a, POINT *b, const G(octet) *o, unsigned lane) {
    *a = *(const POINT *)o->a[lane], *b = *(const POINT *)o->b[lane];
    SETTLE(&a->x), SETTLE(&a->y), SETTLE(&b->x), SETTLE(&b->y);
    if ((o->minus_a >> lane) & 1) G(neg)(a, a);
    if ((o->minus_b >> lane) & 1) G(neg)(b, b);
}

/* The lanes of `suspect` put right: d, and e when it is not NULL. Returns the lanes that need no addition,
 * their sums in `sums` when that is not NULL. */
static __attribute__((noinline)) __mmask8 G(octet_special)(V *d, V *e, POINT *sums, const G(octet) *o, __mmask8 suspect) {
    unsigned trivial = 0;
    for (unsigned lane = 0; lane < 8; lane++) {
        POINT a, b, sum;
        FE t, u;
        if (!((suspect >> lane) & 1)) continue;
        G(octet_points)(&a, &b, o, lane);
        if (G(is_infinity)(&a)) {
            sum = b;
        } else if (G(is_infinity)(&b)) {
            sum = a;
        } else if (!B(eq)(&a.x, &b.x)) {
            continue;
        } else if (!B(eq)(&a.y, &b.y) || B(is_zero)(&a.y)) {
            memset(&sum, 0, sizeof sum);
        } else {
            B(dbl)(&t, &a.y);
            L(set)(d, lane, &t);
            if (e != NULL) {
                B(sqr)(&t, &a.x);
                B(dbl)(&u, &t);
                B(add)(&t, &u, &t);
                L(set)(e, lane, &t);
            }
            continue;
        }
        trivial |= 1u << lane;
        t = B(one);
        L(set)(d, lane, &t);
        if (sums != NULL) sums[lane] = sum;
    }
    return (__mmask8)trivial;
}

/* Asks for the points of a vector of entries */
ZKR_V52_INLINE void G(octet_prefetch)(const G(pairs) *p, const size_t vector) {
    G(octet) o;
    G(octet_of)(&o, p, vector, IFMA_ENTRIES, false);
    const uint64_t last = ((uintptr_t)p->a & 63) != 0 ? sizeof(POINT) - 1 : 0; /* a line more for unaligned bases */
    for (int i = 0; i < 8; i++) {
        for (uint64_t line = 0; line < sizeof(POINT); line += 64) {
            __builtin_prefetch((const char *)(o.a[i] + line));
            __builtin_prefetch((const char *)(o.b[i] + line));
        }
        if (last != 0) {
            __builtin_prefetch((const char *)(o.a[i] + last));
            __builtin_prefetch((const char *)(o.b[i] + last));
        }
    }
}

/* Pass one over `group` vectors from `vector` on: what stood in the chains before them is kept, then
 * the chains take in the denominators. A vector that is not full is the first in its chain and keeps
 * nothing: what stood before it is known. */
ZKR_V52_INLINE void G(gather_denominators)(V *chain, FE *kept, const G(pairs) *p, const size_t vector,
                                           const unsigned group, const int mode) {
#pragma GCC unroll 1
    for (unsigned g = 0; g < group; g++) {
        G(octet) o;
        V x1, x2, d;
        G(octet_of)(&o, p, vector + g, mode, false);
        if (mode == IFMA_ENTRIES && vector + g >= IFMA_AHEAD) G(octet_prefetch)(p, vector + g - IFMA_AHEAD);
        L(load)(&x1, o.a, offsetof(POINT, x));
        L(load)(&x2, o.b, offsetof(POINT, x));
        L(sub)(&d, &x2, &x1, 2, 0);
        const __mmask8 suspect = L(maybe_zero)(&x1) | L(maybe_zero)(&x2) | L(maybe_multiple)(&d);
        if (__builtin_expect(suspect != 0, 0)) (void)G(octet_special)(&d, NULL, NULL, &o, suspect);
        V *c = &chain[(vector + g) % CHAINS];
        if (vector + g < p->count / 8) L(keep)(kept + 8 * (vector + g), c);
        L(mul)(c, &d, c);
    }
}

/* Pass two over the same: `inverse` holds, for each chain, the inverse of all that it took in up to
 * the vectors at hand. */
ZKR_V52_INLINE void G(add_pairs)(V *inverse, const FE *kept, const G(pairs) *p, const size_t vector,
                                 const unsigned group, const int mode) {
    V x1[CHAINS], y1[CHAINS], x2[CHAINS], e[CHAINS], t[CHAINS];
    POINT sums[CHAINS][8];
    __mmask8 trivial[CHAINS];
    G(octet) o[CHAINS];
#pragma GCC unroll 1
    for (unsigned g = 0; g < group; g++) {
        V y2, d;
        G(octet_of)(&o[g], p, vector + g, mode, true);
        L(load)(&x1[g], o[g].a, offsetof(POINT, x));
        L(load)(&x2[g], o[g].b, offsetof(POINT, x));
        L(load)(&y1[g], o[g].a, offsetof(POINT, y));
        L(load)(&y2, o[g].b, offsetof(POINT, y));
        if (mode == IFMA_ENTRIES) {
            L(negate)(&y1[g], o[g].minus_a);
            L(negate)(&y2, o[g].minus_b);
        }
        L(sub)(&d, &x2[g], &x1[g], 2, 0);
        L(sub)(&e[g], &y2, &y1[g], 2, 0);
        const __mmask8 suspect = L(maybe_zero)(&x1[g]) | L(maybe_zero)(&x2[g]) | L(maybe_multiple)(&d);
        trivial[g] = 0;
        if (__builtin_expect(suspect != 0, 0)) trivial[g] = G(octet_special)(&d, &e[g], sums[g], &o[g], suspect);
        V *i = &inverse[(vector + g) % CHAINS];
        if (vector + g < p->count / 8)
            L(kept)(&t[g], kept + 8 * (vector + g));
        else
            L(one)(&t[g]);
        L(mul)(&t[g], &t[g], i);
        L(mul)(i, &d, i);
    }
#pragma GCC unroll 1
    for (unsigned g = 0; g < group; g++) L(mul)(&t[g], &e[g], &t[g]);
#pragma GCC unroll 1
    for (unsigned g = 0; g < group; g++) {
        V x3;
        L(sqr)(&x3, &t[g]);
        L(sub_weak)(&x2[g], &x3, &x1[g], &x2[g], 3);
        L(sub)(&e[g], &x1[g], &x2[g], 2, 2);
    }
#pragma GCC unroll 1
    for (unsigned g = 0; g < group; g++) {
        L(mul)(&t[g], &e[g], &t[g]);
        L(sub_weak)(&t[g], &t[g], &y1[g], NULL, 2);
        L(store)(o[g].out, offsetof(POINT, x), &x2[g]);
        L(store)(o[g].out, offsetof(POINT, y), &t[g]);
        if (__builtin_expect(trivial[g] != 0, 0)) {
            for (unsigned i = 0; i < 8; i++)
                if ((trivial[g] >> i) & 1) *(POINT *)o[g].out[i] = sums[g][i];
        }
    }
}

/* inverse[c] = 2^518 / chain[c] in each lane, by one inversion for all; not in place */
static __attribute__((noinline)) void G(invert_chains)(V *inverse, const V *chain) {
    static const uint64_t quarter[5] = {0, 0, 0, 0, (uint64_t)1 << 50}; /* 2^258: a product with it takes 1/4 */
    V before[CHAINS], all = chain[0];
    for (unsigned c = 1; c < CHAINS; c++) {
        before[c] = all;
        L(mul)(&all, &all, &chain[c]);
    }
    L(inverse)(&all, &all);
    L(mul1)(&all, &all, quarter);
    for (unsigned c = CHAINS - 1; c > 0; c--) {
        L(mul)(&inverse[c], &all, &before[c]);
        L(mul)(&all, &all, &chain[c]);
    }
    inverse[0] = all;
}

/* At most IFMA_PAIRS pairs, or any number where the pairs' scratch is that long */
ZKR_V52_INLINE void G(sum_pairs)(const G(pairs) *p, FE *kept, const int mode) {
    V chain[CHAINS], inverse[CHAINS];
    const size_t vectors = (p->count + 7) / 8, full = vectors / CHAINS * CHAINS;
    if (vectors == 0) return;
    for (unsigned c = 0; c < CHAINS; c++) L(one)(&chain[c]);
    if (mode == IFMA_ENTRIES)
        for (size_t v = vectors > IFMA_AHEAD ? vectors - IFMA_AHEAD : 0; v < vectors; v++) G(octet_prefetch)(p, v);
    for (size_t v = vectors; v-- > full;) G(gather_denominators)(chain, kept, p, v, 1, mode);
    for (size_t v = full; v > 0; v -= CHAINS) G(gather_denominators)(chain, kept, p, v - CHAINS, CHAINS, mode);
    G(invert_chains)(inverse, chain);
    for (size_t v = 0; v < full; v += CHAINS) G(add_pairs)(inverse, kept, p, v, CHAINS, mode);
    for (size_t v = full; v < vectors; v++) G(add_pairs)(inverse, kept, p, v, 1, mode);
}

static __attribute__((noinline)) void G(sum_entry_pairs)(const G(pairs) *p, FE *kept) { G(sum_pairs)(p, kept, IFMA_ENTRIES); }
static __attribute__((noinline)) void G(sum_neighbours)(const G(pairs) *p, FE *kept) { G(sum_pairs)(p, kept, IFMA_NEIGHBOURS); }

static void G(ifma_add_kernel)(POINT *out, const POINT *a, const POINT *b, size_t n, FE *scratch) {
    for (size_t done = 0; done < n; done += IFMA_PAIRS) {
        const G(pairs) p = {.a = a + done, .b = b + done, .out = out + done, .count = n - done < IFMA_PAIRS ? n - done : IFMA_PAIRS};
        G(sum_pairs)(&p, scratch, IFMA_ADD);
    }
    for (size_t i = 0; i < n; i++) SETTLE(&out[i].x), SETTLE(&out[i].y);
}

/* Appends `count` pairs to the lists, eight at a time, so that up to seven places after them are written too:
 * neighbours from `from` on, or the entries that stand there; their sums go to consecutive places. */
ZKR_V52_INLINE void G(list_pairs)(uint32_t *first, uint32_t *second, uint32_t *to, const uint32_t *entries, uint32_t from,
                                  uint32_t place, const uint32_t count) {
    const __m256i steps = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    for (uint32_t i = 0; i < count; i += 8, from += 16, place += 8) {
        const __m256i next = _mm256_add_epi32(_mm256_set1_epi32((int)place), steps);
        _mm256_storeu_si256((__m256i *)(void *)(to + i), next);
        __m256i one = _mm256_add_epi32(_mm256_set1_epi32((int)from), _mm256_add_epi32(steps, steps));
        if (entries != NULL) {
            const __mmask16 left = (__mmask16)(count - i < 8 ? (1u << 2 * (count - i)) - 1 : 0xffffu);
            const __m512i both = _mm512_maskz_loadu_epi32(left, entries + from);
            one = _mm512_cvtepi64_epi32(both);
            _mm256_storeu_si256((__m256i *)(void *)(second + i), _mm512_cvtepi64_epi32(_mm512_srli_epi64(both, 32)));
        }
        _mm256_storeu_si256((__m256i *)(void *)(first + i), one);
    }
}

/* One round over all segments: neighbours are added, and a segment of l leaves (l + 1) / 2 points from
 * where it stands. An odd segment's first point stays where it is; sums go forwards, to places whose
 * points have been read. */
ZKR_V52_INLINE void G(sum_round)(POINT *points, const POINT *bases, const uint32_t *entries, uint32_t *lengths,
                                 uint32_t *places, size_t segments, FE *kept, const bool first) {
    uint32_t one[IFMA_PAIRS + 8], two[IFMA_PAIRS + 8], to[IFMA_PAIRS + 8], at = 0, place = 0;
    G(pairs) p = {.a = bases, .first = one, .second = two, .to = to, .out = points};
    uint32_t ahead = 0, ahead_at = 0; /* the segment, and its first entry, whose leftover is being fetched */
    for (size_t s = 0; s < segments; s++) {
        const uint32_t length = lengths[s], odd = length & 1, half = length / 2;
        if (first) {
            places[s] = place;
            for (; ahead < segments && ahead < s + IFMA_AHEAD; ahead_at += lengths[ahead++]) {
                const char *base = (const char *)&bases[entries[ahead_at] & 0x7fffffffu];
                if (lengths[ahead] & 1) {
                    __builtin_prefetch(base);
                    __builtin_prefetch(base + sizeof(POINT) - 1);
                }
            }
            if (odd) {
                const POINT *base = &bases[entries[at] & 0x7fffffffu];
                POINT either[2] = {*base}; /* a sign is not to be guessed */
                G(neg)(&either[1], base);
                points[place] = either[entries[at] >> 31];
            }
        } else {
            at = place = places[s];
        }
        uint32_t f = at + odd, t = place + odd;
        for (uint32_t left = half; left > 0;) {
            const uint32_t room = (uint32_t)(IFMA_PAIRS - p.count), now = left < room ? left : room;
            G(list_pairs)(one + p.count, two + p.count, to + p.count, first ? entries : NULL, f, t, now);
            f += 2 * now, t += now, left -= now, p.count += now;
            if (p.count == IFMA_PAIRS) {
                if (first)
                    G(sum_entry_pairs)(&p, kept);
                else
                    G(sum_neighbours)(&p, kept);
                p.count = 0;
            }
        }
        at += length;
        place += half + odd;
        lengths[s] = half + odd;
    }
    if (p.count == 0) return;
    for (size_t k = p.count; k % 8 != 0; k++) {
        one[k] = one[p.count - 1], to[k] = to[p.count - 1];
        if (first) two[k] = two[p.count - 1];
    }
    if (first)
        G(sum_entry_pairs)(&p, kept);
    else
        G(sum_neighbours)(&p, kept);
}

static void G(ifma_sum_entries_kernel)(POINT *points, const POINT *bases, const uint32_t *entries, uint32_t *lengths,
                                       size_t segments, uint32_t *places, FE *scratch) {
    if (segments == 0) return;
    G(sum_round)(points, bases, entries, lengths, places, segments, scratch, true);
    for (;;) {
        uint32_t longest = 0;
        for (size_t s = 0; s < segments; s++) longest = lengths[s] > longest ? lengths[s] : longest;
        if (longest <= 1) break;
        G(sum_round)(points, NULL, NULL, lengths, places, segments, scratch, false);
    }
    for (size_t s = 0; s < segments; s++) {
        POINT sum = points[places[s]];
        SETTLE(&sum.x), SETTLE(&sum.y);
        points[s] = sum;
    }
}
