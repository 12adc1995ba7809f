/* curve_group.inc.h: one group, included by curve.h for G1 and G2.
 *
 * Expects G(name), B(name) (base field), FE, POINT, XYZZ. */

ZKR_INLINE bool G(is_infinity)(const POINT *p) { return B(is_zero)(&p->x) && B(is_zero)(&p->y); }

ZKR_INLINE void G(neg)(POINT *out, const POINT *p) {
    out->x = p->x;
    B(neg)(&out->y, &p->y);
}

/* y^2 = x^3 + b, or infinity. Coordinates must be canonical. */
ZKR_NOINLINE bool G(is_on_curve)(const POINT *p) {
    FE left, right;
    if (G(is_infinity)(p)) return true;
    B(sqr)(&right, &p->x);
    B(mul)(&right, &right, &p->x);
    B(add)(&right, &right, &G(b));
    B(sqr)(&left, &p->y);
    return B(eq)(&left, &right);
}

ZKR_INLINE void G(set_infinity)(XYZZ *out) {
    out->x = B(one);
    out->y = B(one);
    out->zz = B(zero);
    out->zzz = B(zero);
}

ZKR_INLINE void G(from_affine)(XYZZ *out, const POINT *p) {
    if (G(is_infinity)(p)) {
        G(set_infinity)(out);
        return;
    }
    out->x = p->x;
    out->y = p->y;
    out->zz = B(one);
    out->zzz = B(one);
}

ZKR_NOINLINE void G(to_affine)(POINT *out, const XYZZ *p) {
    FE i, z;
    if (B(is_zero)(&p->zz)) {
        out->x = B(zero);
        out->y = B(zero);
        return;
    }
    B(inv)(&i, &p->zzz);
    B(mul)(&z, &i, &p->zz); /* 1/z */
    B(sqr)(&z, &z);
    B(mul)(&out->x, &p->x, &z);
    B(mul)(&out->y, &p->y, &i);
}

ZKR_NOINLINE void G(double)(XYZZ *p) {
    FE u, v, w, s, m, x3;
    if (B(is_zero)(&p->zz)) return;
    B(dbl)(&u, &p->y);
    B(sqr)(&v, &u);
    B(mul)(&w, &u, &v);
    B(mul)(&s, &p->x, &v);
    B(sqr)(&m, &p->x);
    B(dbl)(&u, &m);
    B(add)(&m, &m, &u);
    B(sqr)(&x3, &m);
    B(sub)(&x3, &x3, &s);
    B(sub)(&x3, &x3, &s);
    B(sub)(&s, &s, &x3);
    B(mul)(&s, &m, &s);
    B(mul)(&u, &w, &p->y);
    B(sub)(&p->y, &s, &u);
    p->x = x3;
    B(mul)(&p->zz, &v, &p->zz);
    B(mul)(&p->zzz, &w, &p->zzz);
}

/* acc += q */
ZKR_NOINLINE void G(add_affine)(XYZZ *acc, const POINT *q) {
    FE u, s, pp, ppp, v, x3;
    if (G(is_infinity)(q)) return;
    if (B(is_zero)(&acc->zz)) {
        G(from_affine)(acc, q);
        return;
    }
    B(mul)(&u, &q->x, &acc->zz);
    B(mul)(&s, &q->y, &acc->zzz);
    B(sub)(&u, &u, &acc->x);
    B(sub)(&s, &s, &acc->y);
    if (B(is_zero)(&u)) {
        if (B(is_zero)(&s))
            G(double)(acc);
        else
            G(set_infinity)(acc);
        return;
    }
    B(sqr)(&pp, &u);
    B(mul)(&ppp, &u, &pp);
    B(mul)(&v, &acc->x, &pp);
    B(sqr)(&x3, &s);
    B(sub)(&x3, &x3, &ppp);
    B(sub)(&x3, &x3, &v);
    B(sub)(&x3, &x3, &v);
    B(sub)(&v, &v, &x3);
    B(mul)(&v, &s, &v);
    B(mul)(&u, &acc->y, &ppp);
    B(sub)(&acc->y, &v, &u);
    acc->x = x3;
    B(mul)(&acc->zz, &acc->zz, &pp);
    B(mul)(&acc->zzz, &acc->zzz, &ppp);
}

/* acc += q */
ZKR_NOINLINE void G(add)(XYZZ *acc, const XYZZ *q) {
    FE u1, s1, u, s, pp, ppp, v, x3;
    if (B(is_zero)(&q->zz)) return;
    if (B(is_zero)(&acc->zz)) {
        *acc = *q;
        return;
    }
    B(mul)(&u1, &acc->x, &q->zz);
    B(mul)(&u, &q->x, &acc->zz);
    B(mul)(&s1, &acc->y, &q->zzz);
    B(mul)(&s, &q->y, &acc->zzz);
    B(sub)(&u, &u, &u1);
    B(sub)(&s, &s, &s1);
    if (B(is_zero)(&u)) {
        if (B(is_zero)(&s))
            G(double)(acc);
        else
            G(set_infinity)(acc);
        return;
    }
    B(sqr)(&pp, &u);
    B(mul)(&ppp, &u, &pp);
    B(mul)(&v, &u1, &pp);
    B(sqr)(&x3, &s);
    B(sub)(&x3, &x3, &ppp);
    B(sub)(&x3, &x3, &v);
    B(sub)(&x3, &x3, &v);
    B(sub)(&v, &v, &x3);
    B(mul)(&v, &s, &v);
    B(mul)(&u1, &s1, &ppp);
    B(sub)(&acc->y, &v, &u1);
    acc->x = x3;
    B(mul)(&acc->zz, &acc->zz, &q->zz);
    B(mul)(&acc->zz, &acc->zz, &pp);
    B(mul)(&acc->zzz, &acc->zzz, &q->zzz);
    B(mul)(&acc->zzz, &acc->zzz, &ppp);
}

/* [k] p for a plain 256-bit integer k; variable time, by windows of four bits */
ZKR_NOINLINE void G(scalar_mul)(XYZZ *out, const POINT *p, const zkr_fe *k) {
    XYZZ table[16], acc;
    G(set_infinity)(&table[0]);
    for (int i = 1; i < 16; i++) {
        table[i] = table[i - 1];
        G(add_affine)(&table[i], p);
    }
    G(set_infinity)(&acc);
    for (int i = 63; i >= 0; i--) {
        for (int j = 0; j < 4; j++) G(double)(&acc);
        G(add)(&acc, &table[(k->l[i / 16] >> (4 * (i % 16))) & 15]);
    }
    *out = acc;
}

ZKR_INLINE void G(negate)(XYZZ *p) { B(neg)(&p->y, &p->y); }

/* [k] p for a small k, bit by bit */
ZKR_NOINLINE void G(small_multiple)(XYZZ *out, const XYZZ *p, uint32_t k) {
    XYZZ acc;
    G(set_infinity)(&acc);
    for (int i = 31; i >= 0; i--) {
        G(double)(&acc);
        if ((k >> i) & 1) G(add)(&acc, p);
    }
    *out = acc;
}
