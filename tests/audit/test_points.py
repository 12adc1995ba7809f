"""Slopes that are determined: tangents at regular points, chords of multiples that differ; and their nearest
relatives, compared with all witnesses over small primes."""

from __future__ import annotations

import itertools
import random

import pytest

from zkrollup.audit import Constraints, Kind, audit, points, propagate
from zkrollup.audit.points import Curve, Group, Multiples, PointFacts


def build(p, wires, inputs, rows):
    reduced = [tuple({w: k % p for w, k in side.items() if k % p} for side in row) for row in rows]
    return Constraints.from_rows(p, wires, inputs, reduced)


def tangents(count, a=6, b=1, regular=True):
    """v and w are wires 1 and 2, u = w v is 3; each tangent has slope, u^2, u' and v' behind: 4 wires."""
    rows = [({1: 1}, {2: 1}, {3: 1})] if regular else [({0: 1}, {2: 1}, {3: 1})]
    u, v, wire = 3, 1, 4
    for _ in range(count):
        s, square, u2, v2 = range(wire, wire + 4)
        rows += [
            ({u: 1}, {u: 1}, {square: 1}),
            ({s: 1}, {v: 2 * b}, {square: 3, u: 2 * a, 0: 1}),
            ({s: b}, {s: 1}, {u2: 1, u: 2, 0: a}),
            ({s: 1}, {u: 1, u2: -1}, {v2: 1, v: 1}),
        ]
        u, v, wire = u2, v2, wire + 4
    return rows, wire


def open_wires(p, wires, inputs, rows):
    """The wires that two witnesses with the same inputs disagree on, by trying all values in order."""
    by_last: dict[int, list] = {}
    for row in rows:
        by_last.setdefault(max(w for side in row for w in side), []).append(row)
    seen: dict[tuple, list] = {}
    differing = set()

    def value(terms, values):
        return sum(k * values[w] for w, k in terms.items())

    def go(values):
        wire = len(values)
        if wire == wires:
            first = seen.setdefault(tuple(values[w] for w in inputs), list(values))
            differing.update(w for w in range(wires) if first[w] != values[w])
            return
        for candidate in range(p):
            values.append(candidate)
            if all(
                (value(a, values) * value(b, values) - value(c, values)) % p == 0
                for a, b, c in by_last.get(wire, ())
            ):
                go(values)
            values.pop()

    go([1])
    return differing


@pytest.mark.parametrize("p", [7, 11, 13])
def test_tangents__of_a_regular_point_are_determined(p):
    rows, wires = tangents(2)
    done = propagate(build(p, wires, {1, 2}, rows))
    assert all(done.unique)
    assert open_wires(p, wires, (1, 2), rows) == set()


def test_tangents__of_any_point_are_not():
    # 3 u^2 + 12 u + 1 is zero for u = 9 modulo 11, so the slope at (u, 0) is open
    rows, wires = tangents(1, regular=False)
    assert not propagate(build(11, wires, {1, 2}, rows)).unique[4]
    assert 4 in open_wires(11, wires, (1, 2), rows)


@pytest.mark.parametrize("p", [7, 11])
@pytest.mark.parametrize("sign", [1, -1])
def test_chord__of_a_regular_point_and_its_double_is_determined(p, sign):
    rows, wires = tangents(1)
    # 5 is the square, 6 and 7 the double of (3, 1)
    chord = ({wires: sign}, {6: 1, 3: -1}, {7: sign, 1: -sign})
    done = propagate(build(p, wires + 1, {1, 2}, [*rows, chord]))
    assert done.reasons[wires].rule == "points"
    assert open_wires(p, wires + 1, (1, 2), [*rows, chord]) == set()
    other = ({wires: 1}, {6: 1, 3: -1}, {7: 1, 1: 1})  # of the opposite point, which the double may be
    assert not propagate(build(p, wires + 1, {1, 2}, [*rows, other])).unique[wires]


def test_tangents__altered_in_a_coefficient_are_unique_only_where_they_are():
    rng = random.Random(5)
    decided = 0
    for _ in range(40):
        p = rng.choice([5, 7])
        rows, wires = tangents(2, a=rng.randrange(1, p))
        at, side = rng.randrange(len(rows)), rng.randrange(3)
        row = list(rows[at])
        terms = dict(row[side])
        wire = rng.choice(sorted(terms))
        terms[wire] = rng.randrange(p)
        row[side] = terms
        rows[at] = tuple(row)
        done = propagate(build(p, wires, {1, 2}, rows))
        free = open_wires(p, wires, (1, 2), rows)
        assert not {w for w in range(wires) if done.unique[w]} & free
        decided += any(r.rule == "points" for r in done.reasons.values())
    assert decided > 10


@pytest.mark.parametrize("p", [7, 11, 13, 17, 19, 23])
def test_halvings__of_the_point_of_order_two_end_where_they_do(p):
    for a, b in itertools.product(range(p), (1, 2, 3)):
        if (a * a - 4) % p == 0:
            continue
        curve = Curve(a, b, 0)
        everything = [(u, v) for u, v in itertools.product(range(p), repeat=2) if curve.holds((u, v), p)]
        doubles = {point: curve.add(point, point, p) for point in everything}
        level, count = {(0, 0)}, 0
        while level and count < 8:
            level, count = {q for q in everything if doubles[q] in level}, count + 1
        assert points._halvings(curve, p) == (count if not level else None)


def test_quotient__of_a_point_doubled_often_enough_is_determined():
    """x v = u has a solution x unless v = 0 and u is not, and only one but at (0, 0)."""
    p, a = 11, 6
    depth = points._halvings(Curve(a, 1, 0), p)
    assert depth == 2
    for count in (1, 2):
        rows, wires = tangents(count, a)
        rows.append(({wires: 1}, {wires - 1: 1}, {wires - 2: 1}))
        done = propagate(build(p, wires + 1, {1, 2}, rows))
        assert bool(done.unique[wires]) == (count >= depth)
        if count >= depth:
            assert open_wires(p, wires + 1, (1, 2), rows) == set()


# -- chords ------------------------------------------------------------------------------------------------
P = 1009


def small_curve():
    """A curve modulo 1009 with a point of prime order above 100, and that point."""
    roots = {v * v % P: v for v in range(P)}
    for a in range(3, P):
        found = [(u, roots.get(u * (u * u + a * u + 1) % P)) for u in range(P)]
        order = 1 + sum(1 if v == 0 else 2 for _, v in found if v is not None)
        n = max(k for k in range(2, order + 1) if order % k == 0 and all(k % d for d in range(2, k)))
        if n > 100:
            curve = Curve(a, 1, n)
            multiples = (curve.times(order // n, point, P) for point in found if point[1])
            return curve, next(point for point in multiples if point is not None)
    raise AssertionError("no such curve")


CURVE, GENERATOR = small_curve()


@pytest.fixture(autouse=True)
def known_curve(monkeypatch):
    monkeypatch.setitem(points.CURVES, P, (CURVE,))


def multiplication(start, sign=1, step=4):
    """start G + k G + step l G, each of k, l one of 1 .. 4 by two bits of the input, wire 1.

    Bits are 2 to 5, products of two 6 and 7; a window's point 8, 9 and 13, 14; slopes 10 and 15; sums behind.
    """
    rows = [({}, {}, {1: -1} | {2 + i: 1 << i for i in range(4)})]
    rows += [({2 + i: 1}, {2 + i: 1, 0: -1}, {}) for i in range(4)]
    u1, v1 = ({0: c} for c in CURVE.times(start, GENERATOR, P))
    wire = 8
    for window, unit in ((0, 1), (1, step)):
        low, high, both = 2 + 2 * window, 3 + 2 * window, 6 + window
        rows.append(({low: 1}, {high: 1}, {both: 1}))
        table = [CURVE.times(unit * k, GENERATOR, P) for k in (1, 2, 3, 4)]
        for at in (0, 1):
            t = [point[at] for point in table]
            terms = {0: t[0], low: t[1] - t[0], high: t[2] - t[0], both: t[3] - t[2] - t[1] + t[0]}
            rows.append(({}, {}, {wire + at: -1} | terms))
        u2, v2, s, u3, v3 = wire, wire + 1, wire + 2, wire + 3, wire + 4
        rows += [
            ({s: 1}, {u2: 1} | negative(u1), {v2: 1} | negative(v1)),
            ({s: 1}, {s: 1}, {u3: 1, u2: 1} | plus(u1, {0: CURVE.a})),
            ({s: sign}, {u3: -1} | u1, {w: sign * k for w, k in ({v3: 1} | v1).items()}),
        ]
        u1, v1, wire = {u3: 1}, {v3: 1}, wire + 5
    return rows, wire


def negative(terms):
    return {w: -k for w, k in terms.items()}


def plus(x, y):
    return {w: x.get(w, 0) + y.get(w, 0) for w in x.keys() | y.keys()}


@pytest.mark.parametrize("sign", [1, -1])
def test_chords__of_multiples_that_differ_are_determined(sign):
    rows, wires = multiplication(50, sign)
    done = propagate(build(P, wires, {1}, rows))
    assert all(done.unique)
    assert {done.reasons[w].rule for w in (10, 15)} == {"points"}
    assert set(done.reasons[15].rows) >= set(done.reasons[10].rows) - {0}


@pytest.mark.parametrize("start", [1, 4])
def test_chords__of_multiples_that_may_agree_are_free(start):
    rows, wires = multiplication(start)
    system = build(P, wires, {1}, rows)
    assert not propagate(system).unique[10]
    report = audit(system)
    assert report.verdict("wire10").kind is Kind.FREE


def test_chords__are_determined_only_if_no_two_multiples_agree():
    rng = random.Random(2)
    decided = 0
    for _ in range(40):
        start, step = rng.randrange(1, CURVE.order), rng.choice([4, 8, 16])
        rows, wires = multiplication(start, step=step)
        done = propagate(build(P, wires, {1}, rows))
        first = any((start - k) % CURVE.order == 0 for k in range(1, 5))
        second = any(
            (start + k - step * l) % CURVE.order == 0
            for k, l in itertools.product(range(1, 5), repeat=2)  # noqa: E741
        )
        assert not (done.unique[10] and first)
        assert not (done.unique[15] and (first or second))
        decided += done.unique[15]
    assert decided > 20


@pytest.mark.parametrize("wrong", ["table", "curve", "line"])
def test_chords__that_are_none_are_not_concluded_from(wrong):
    rows, wires = multiplication(50)
    if wrong == "table":
        at = next(i for i, row in enumerate(rows) if 8 in row[2] and row[0] == {})
        rows[at] = ({}, {}, rows[at][2] | {0: rows[at][2][0] + 1})
    elif wrong == "curve":
        at = next(i for i, row in enumerate(rows) if row[0] == row[1] == {10: 1})
        rows[at] = (*rows[at][:2], rows[at][2] | {0: rows[at][2].get(0, 0) + 1})
    else:
        at = next(i for i, row in enumerate(rows) if 12 in row[2] and row[0] == {10: 1})
        rows[at] = (*rows[at][:2], rows[at][2] | {12: 2})
    done = propagate(build(P, wires, {1}, rows))
    rules = {w: done.reasons[w].rule for w in (10, 15) if done.unique[w]}
    assert "points" not in (rules.get(15), rules.get(10) if wrong != "line" else None)


def test_group__knows_the_logarithms_of_its_points():
    group = Group(CURVE, GENERATOR, P)
    assert len(group.logs) > 40
    for point, log in group.logs.items():
        assert CURVE.times(log, GENERATOR, P) == point


def test_multiples__lie_in_the_intervals_that_they_are_said_to():
    group, rng = Group(CURVE, GENERATOR, P), random.Random(4)
    n = CURVE.order
    for _ in range(200):
        unit = rng.randrange(1, n)
        listed = tuple(rng.randrange(1, n) for _ in range(rng.randint(1, 5)))
        low, high = Multiples(group, listed).interval(unit)
        assert all(any((unit * t - log) % n == 0 for t in range(low, high + 1)) for log in listed)
        low, high = Multiples(group, (), listed[0], 2, 5).interval(unit)
        assert all(
            any((unit * t - listed[0] * k) % n == 0 for t in range(low, high + 1)) for k in range(2, 6)
        )


def test_points__of_even_or_unknown_order_are_not_followed():
    bad = Curve(CURVE.a, CURVE.b, CURVE.order + 2)
    assert points._group(PointFacts(), bad, set(), [GENERATOR], P) is None
    assert points._group(PointFacts(), CURVE, set(), [GENERATOR], P) is not None
