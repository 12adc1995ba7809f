/* field_mont.inc.h: one prime field, included by field.h once for Fr and once for Fq.
 *
 * Expects F(name) (function prefix) and P(name) (constant prefix). Knows neither curve nor circuit.
 * Both moduli are below 2^254, so that a + b fits, and the top limb's spare bits allow the Montgomery
 * product to run without a fifth carry word: with t < b + p before a step, (t + a_i b + m p)/2^64 is
 * again < b + p < 2^256. Factors up to 2p are therefore allowed, see fq2_mul.
 */

static const zkr_fe F(modulus) = ZKR_LIMBS(P(P));
static const zkr_fe F(zero) = {{0, 0, 0, 0}};
static const zkr_fe F(one) = ZKR_LIMBS(P(ONE));
static const zkr_fe F(r2) = ZKR_LIMBS(P(R2));

ZKR_INLINE bool F(is_zero)(const zkr_fe *a) { return zkr_fe_is_zero(a); }
ZKR_INLINE bool F(eq)(const zkr_fe *a, const zkr_fe *b) { return zkr_fe_eq(a, b); }

/* a < p */
ZKR_INLINE bool F(is_canonical)(const zkr_fe *a) {
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) (void)zkr_sbb(a->l[i], F(modulus).l[i], &borrow);
    return borrow != 0;
}

/* t - p when t >= p; t < 2p */
ZKR_INLINE void F(reduce_once)(zkr_fe *out, const zkr_fe *t) {
    uint64_t borrow = 0;
    zkr_fe d;
    d.l[0] = zkr_sbb(t->l[0], P(P_0), &borrow);
    d.l[1] = zkr_sbb(t->l[1], P(P_1), &borrow);
    d.l[2] = zkr_sbb(t->l[2], P(P_2), &borrow);
    d.l[3] = zkr_sbb(t->l[3], P(P_3), &borrow);
    const uint64_t keep = 0 - borrow;
    for (int i = 0; i < 4; i++) out->l[i] = (t->l[i] & keep) | (d.l[i] & ~keep);
}

/* a + b < 2p, for a product that takes it */
ZKR_INLINE void F(add_unreduced)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) out->l[i] = zkr_adc(a->l[i], b->l[i], &carry);
}

#if defined(ZKR_FIELD_ADX)

ZKR_INLINE void F(add)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    uint64_t t0 = a->l[0], t1 = a->l[1], t2 = a->l[2], t3 = a->l[3], d0, d1, d2, d3;
    __asm__("addq %[b0], %[t0]\n\t"
            "adcq %[b1], %[t1]\n\t"
            "adcq %[b2], %[t2]\n\t"
            "adcq %[b3], %[t3]\n\t"
            "movq %[t0], %[d0]\n\t"
            "movq %[t1], %[d1]\n\t"
            "movq %[t2], %[d2]\n\t"
            "movq %[t3], %[d3]\n\t"
            "subq %[p0], %[d0]\n\t"
            "sbbq %[p1], %[d1]\n\t"
            "sbbq %[p2], %[d2]\n\t"
            "sbbq %[p3], %[d3]\n\t"
            "cmovncq %[d0], %[t0]\n\t"
            "cmovncq %[d1], %[t1]\n\t"
            "cmovncq %[d2], %[t2]\n\t"
            "cmovncq %[d3], %[t3]\n\t"
            : [t0] "+r"(t0), [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [d0] "=&r"(d0), [d1] "=&r"(d1),
              [d2] "=&r"(d2), [d3] "=&r"(d3)
            : [b0] "m"(b->l[0]), [b1] "m"(b->l[1]), [b2] "m"(b->l[2]), [b3] "m"(b->l[3]),
              [p0] "m"(F(modulus).l[0]), [p1] "m"(F(modulus).l[1]), [p2] "m"(F(modulus).l[2]),
              [p3] "m"(F(modulus).l[3])
            : "cc");
    out->l[0] = t0;
    out->l[1] = t1;
    out->l[2] = t2;
    out->l[3] = t3;
}

ZKR_INLINE void F(sub)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    uint64_t t0 = a->l[0], t1 = a->l[1], t2 = a->l[2], t3 = a->l[3];
    uint64_t d0 = P(P_0), d1 = P(P_1), d2 = P(P_2), d3 = P(P_3), z = 0;
    __asm__("subq %[b0], %[t0]\n\t"
            "sbbq %[b1], %[t1]\n\t"
            "sbbq %[b2], %[t2]\n\t"
            "sbbq %[b3], %[t3]\n\t"
            "cmovncq %[z], %[d0]\n\t"
            "cmovncq %[z], %[d1]\n\t"
            "cmovncq %[z], %[d2]\n\t"
            "cmovncq %[z], %[d3]\n\t"
            "addq %[d0], %[t0]\n\t"
            "adcq %[d1], %[t1]\n\t"
            "adcq %[d2], %[t2]\n\t"
            "adcq %[d3], %[t3]\n\t"
            : [t0] "+r"(t0), [t1] "+r"(t1), [t2] "+r"(t2), [t3] "+r"(t3), [d0] "+r"(d0), [d1] "+r"(d1),
              [d2] "+r"(d2), [d3] "+r"(d3)
            : [b0] "m"(b->l[0]), [b1] "m"(b->l[1]), [b2] "m"(b->l[2]), [b3] "m"(b->l[3]), [z] "r"(z)
            : "cc");
    out->l[0] = t0;
    out->l[1] = t1;
    out->l[2] = t2;
    out->l[3] = t3;
}

#else

ZKR_INLINE void F(add)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    zkr_fe t;
    F(add_unreduced)(&t, a, b);
    F(reduce_once)(out, &t);
}

ZKR_INLINE void F(sub)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    uint64_t borrow = 0, carry = 0;
    zkr_fe t;
    for (int i = 0; i < 4; i++) t.l[i] = zkr_sbb(a->l[i], b->l[i], &borrow);
    const uint64_t mask = 0 - borrow;
    out->l[0] = zkr_adc(t.l[0], P(P_0) & mask, &carry);
    out->l[1] = zkr_adc(t.l[1], P(P_1) & mask, &carry);
    out->l[2] = zkr_adc(t.l[2], P(P_2) & mask, &carry);
    out->l[3] = zkr_adc(t.l[3], P(P_3) & mask, &carry);
}

#endif

ZKR_INLINE void F(dbl)(zkr_fe *out, const zkr_fe *a) { F(add)(out, a, a); }

/* p - a, and 0 for 0 */
ZKR_INLINE void F(neg)(zkr_fe *out, const zkr_fe *a) {
    uint64_t borrow = 0;
    const uint64_t mask = zkr_fe_is_zero(a) ? 0 : ~(uint64_t)0;
    zkr_fe t;
    t.l[0] = zkr_sbb(P(P_0), a->l[0], &borrow);
    t.l[1] = zkr_sbb(P(P_1), a->l[1], &borrow);
    t.l[2] = zkr_sbb(P(P_2), a->l[2], &borrow);
    t.l[3] = zkr_sbb(P(P_3), a->l[3], &borrow);
    for (int i = 0; i < 4; i++) out->l[i] = t.l[i] & mask;
}

#if defined(ZKR_FIELD_ADX)

/* One step of the interleaved Montgomery product (CIOS; Koc, Acar, Kaliski 1996): two independent
 * carry chains, ADCX for the high halves shifted down and ADOX for the low ones. */
#define ZKR_ADX_FIRST(t0, t1, t2, t3, t4)  \
    "xorl %k[x], %k[x]\n\t"                 \
    "mulxq %[b0], " t0 ", " t1 "\n\t"       \
    "mulxq %[b1], %[x], " t2 "\n\t"         \
    "adoxq %[x], " t1 "\n\t"                \
    "mulxq %[b2], %[x], " t3 "\n\t"         \
    "adoxq %[x], " t2 "\n\t"                \
    "mulxq %[b3], %[x], " t4 "\n\t"         \
    "adoxq %[x], " t3 "\n\t"                \
    "movl $0, %k[x]\n\t"                    \
    "adoxq %[x], " t4 "\n\t"

#define ZKR_ADX_STEP(t0, t1, t2, t3, t4)   \
    "xorl %k[x], %k[x]\n\t"                 \
    "mulxq %[b0], %[x], " t4 "\n\t"         \
    "adoxq %[x], " t0 "\n\t"                \
    "adcxq " t4 ", " t1 "\n\t"              \
    "mulxq %[b1], %[x], " t4 "\n\t"         \
    "adoxq %[x], " t1 "\n\t"                \
    "adcxq " t4 ", " t2 "\n\t"              \
    "mulxq %[b2], %[x], " t4 "\n\t"         \
    "adoxq %[x], " t2 "\n\t"                \
    "adcxq " t4 ", " t3 "\n\t"              \
    "mulxq %[b3], %[x], " t4 "\n\t"         \
    "adoxq %[x], " t3 "\n\t"                \
    "movl $0, %k[x]\n\t"                    \
    "adcxq %[x], " t4 "\n\t"                \
    "adoxq %[x], " t4 "\n\t"

/* t += m p, t0 becomes 0 and leaves: the next step's registers are (t1, t2, t3, t4, t0). */
#define ZKR_ADX_REDUCE(t0, t1, t2, t3, t4) \
    "movq %[inv], %%rdx\n\t"                \
    "imulq " t0 ", %%rdx\n\t"               \
    "xorl %k[x], %k[x]\n\t"                 \
    "mulxq %[p0], %[x], %[y]\n\t"           \
    "adcxq " t0 ", %[x]\n\t"                \
    "adcxq %[y], " t1 "\n\t"                \
    "mulxq %[p1], %[x], %[y]\n\t"           \
    "adoxq %[x], " t1 "\n\t"                \
    "adcxq %[y], " t2 "\n\t"                \
    "mulxq %[p2], %[x], %[y]\n\t"           \
    "adoxq %[x], " t2 "\n\t"                \
    "adcxq %[y], " t3 "\n\t"                \
    "mulxq %[p3], %[x], %[y]\n\t"           \
    "adoxq %[x], " t3 "\n\t"                \
    "movl $0, %k[x]\n\t"                    \
    "adcxq %[y], " t4 "\n\t"                \
    "adoxq %[x], " t4 "\n\t"

ZKR_INLINE void F(mul)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    uint64_t t0, t1, t2, t3, t4, x, y;
    __asm__("movq %[a0], %%rdx\n\t"
            ZKR_ADX_FIRST("%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
            ZKR_ADX_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
            "movq %[a1], %%rdx\n\t"
            ZKR_ADX_STEP("%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
            ZKR_ADX_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
            "movq %[a2], %%rdx\n\t"
            ZKR_ADX_STEP("%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
            ZKR_ADX_REDUCE("%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
            "movq %[a3], %%rdx\n\t"
            ZKR_ADX_STEP("%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
            ZKR_ADX_REDUCE("%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
            /* result t4 t0 t1 t2 < 2p */
            "movq %[t4], %[t3]\n\t"
            "movq %[t0], %[x]\n\t"
            "movq %[t1], %[y]\n\t"
            "movq %[t2], %%rdx\n\t"
            "subq %[p0], %[t3]\n\t"
            "sbbq %[p1], %[x]\n\t"
            "sbbq %[p2], %[y]\n\t"
            "sbbq %[p3], %%rdx\n\t"
            "cmovncq %[t3], %[t4]\n\t"
            "cmovncq %[x], %[t0]\n\t"
            "cmovncq %[y], %[t1]\n\t"
            "cmovncq %%rdx, %[t2]\n\t"
            : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
              [x] "=&r"(x), [y] "=&r"(y)
            : [a0] "m"(a->l[0]), [a1] "m"(a->l[1]), [a2] "m"(a->l[2]), [a3] "m"(a->l[3]),
              [b0] "m"(b->l[0]), [b1] "m"(b->l[1]), [b2] "m"(b->l[2]), [b3] "m"(b->l[3]),
              [p0] "m"(F(modulus).l[0]), [p1] "m"(F(modulus).l[1]), [p2] "m"(F(modulus).l[2]),
              [p3] "m"(F(modulus).l[3]), [inv] "i"(P(INV))
            : "rdx", "cc");
    out->l[0] = t4;
    out->l[1] = t0;
    out->l[2] = t1;
    out->l[3] = t2;
}

#undef ZKR_ADX_FIRST
#undef ZKR_ADX_STEP
#undef ZKR_ADX_REDUCE

#else

ZKR_NOINLINE void F(mul)(zkr_fe *out, const zkr_fe *a, const zkr_fe *b) {
    const uint64_t p[4] = {P(P_0), P(P_1), P(P_2), P(P_3)};
    uint64_t t[4] = {0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
        const uint64_t w = a->l[i];
        zkr_u128 hi = (zkr_u128)w * b->l[0] + t[0];
        const uint64_t low = (uint64_t)hi;
        const uint64_t m = low * P(INV);
        zkr_u128 red = (zkr_u128)m * p[0] + low;
        for (int j = 1; j < 4; j++) {
            hi = (zkr_u128)w * b->l[j] + t[j] + (uint64_t)(hi >> 64);
            red = (zkr_u128)m * p[j] + (uint64_t)hi + (uint64_t)(red >> 64);
            t[j - 1] = (uint64_t)red;
        }
        t[3] = (uint64_t)(hi >> 64) + (uint64_t)(red >> 64);
    }
    const zkr_fe r = {{t[0], t[1], t[2], t[3]}};
    F(reduce_once)(out, &r);
}

#endif

ZKR_INLINE void F(sqr)(zkr_fe *out, const zkr_fe *a) { F(mul)(out, a, a); }

/* canonical (any a < 2^256 is taken mod p) -> Montgomery */
ZKR_INLINE void F(to_mont)(zkr_fe *out, const zkr_fe *a) { F(mul)(out, a, &F(r2)); }

ZKR_INLINE void F(from_mont)(zkr_fe *out, const zkr_fe *a) {
    static const zkr_fe unit = {{1, 0, 0, 0}};
    F(mul)(out, a, &unit);
}

/* 1/a by Fermat with a window of four bits: 1/0 = 0. Runs in constant time. */
ZKR_NOINLINE void F(inv)(zkr_fe *out, const zkr_fe *a) {
    const uint64_t e[4] = {P(PM2_0), P(PM2_1), P(PM2_2), P(PM2_3)};
    zkr_fe power[16], acc = F(one);
    power[0] = F(one);
    for (int i = 1; i < 16; i++) F(mul)(&power[i], &power[i - 1], a);
    for (int i = 63; i >= 0; i--) {
        for (int k = 0; k < 4; k++) F(sqr)(&acc, &acc);
        F(mul)(&acc, &acc, &power[(e[i / 16] >> (4 * (i % 16))) & 15]);
    }
    *out = acc;
}

/* 1/a, four times faster, in a time that depends on a: never for toxic waste or blinding factors. */
ZKR_NOINLINE void F(inv_vartime)(zkr_fe *out, const zkr_fe *a) {
    zkr_fe inverse, r3;
    zkr_inverse_vartime(inverse.l, a->l, F(modulus).l, 0 - P(INV)); /* of a R, so 1/(a R) */
    F(mul)(&r3, &F(r2), &F(r2));
    F(mul)(out, &inverse, &r3);
}

/* small unsigned integer -> Montgomery */
ZKR_INLINE void F(from_u64)(zkr_fe *out, uint64_t value) {
    const zkr_fe t = {{value, 0, 0, 0}};
    F(to_mont)(out, &t);
}
