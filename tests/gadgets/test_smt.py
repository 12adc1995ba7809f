"""Sparse Merkle trees in a circuit, against the twin and circomlibjs's histories."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from zkrollup.crypto.smt import SparseMerkleTree, SparseWrite, sparse_leaf, sparse_root
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import smt
from zkrollup.testing import (
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
)

VECTORS = Path(__file__).parents[1] / "vectors/smt/operations.json"
HISTORIES = {h["name"]: h["steps"] for h in json.loads(VECTORS.read_text())}
LEVELS = 10


def record_verify(levels):
    cs = ConstraintSystem("verify")
    with cs.scope("inputs"):
        flags = [cs.input_bool(n) for n in ("is_exclusion", "is_empty")]
    fields = {n: cs.input(n) for n in ("key", "value", "other_key", "other_value", "root")}
    lanes = cs.input_array("lanes", levels)
    root = smt.sparse_verify(
        cs,
        flags[0],
        fields["key"],
        fields["value"],
        fields["other_key"],
        fields["other_value"],
        flags[1],
        lanes,
    )
    cs.assert_equal(root, fields["root"], label="the root")
    return cs.freeze()


def record_process(levels):
    cs = ConstraintSystem("process")
    with cs.scope("inputs"):
        fnc = cs.input_bool("insert"), cs.input_bool("change")
        is_old0 = cs.input_bool("is_old0")
    fields = [cs.input(n) for n in ("root", "key", "value", "old_key", "old_value")]
    lanes = cs.input_array("lanes", levels)
    cs.export("root_after", smt.sparse_process(cs, fnc, *fields, is_old0, lanes))
    return cs.freeze()


@pytest.fixture(scope="module")
def verify():
    return record_verify(LEVELS)


@pytest.fixture(scope="module")
def process():
    return record_process(LEVELS)


def reading(tree: SparseMerkleTree, key: int, levels: int = LEVELS) -> dict[str, object]:
    """What a prover says about a key: its value, or that it is absent."""
    found = tree.find(key)
    other = found.other or (key, 0)  # circomlibjs's names for an empty end
    return {
        "is_exclusion": int(found.value is None),
        "is_empty": int(found.is_empty),
        "key": key,
        "value": found.value or 0,
        "other_key": other[0],
        "other_value": other[1],
        "root": tree.root,
        "lanes": smt.sparse_lanes(key, found.siblings, levels),
    }


def writing(write: SparseWrite, levels: int = LEVELS) -> dict[str, object]:
    return {
        "insert": write.fnc[0],
        "change": write.fnc[1],
        "is_old0": int(write.is_old0),
        "root": write.root_before,
        "key": write.key,
        "value": write.value,
        "old_key": write.old_key,
        "old_value": write.old_value,
        "lanes": smt.sparse_lanes(write.key, write.siblings, levels),
    }


def replayed(name):
    """Each step of a history: the twin before it, the step, and what the twin made of it."""
    tree = SparseMerkleTree()
    for step in HISTORIES[name]:
        key = int(step["key"])
        if step["op"] == "find":
            yield step, reading, tree, key
        else:
            write = getattr(tree, step["op"])(key, *([int(step["value"])] if "value" in step else []))
            yield step, writing, write, key


@pytest.mark.parametrize("name", ["small", "ends", "deletions", "many"])
def test_histories__of_circomlibjs_hold(name, verify, process, engine):
    levels = LEVELS
    if name == "ends":  # r - 1 is odd times 2^28: it parts from 0 at level 28
        levels = 29
        verify, process = record_verify(levels), record_process(levels)
    for step, inputs, of, key in replayed(name):
        if inputs is reading:
            assert_satisfied(verify, inputs=reading(of, key, levels), engine=engine)
        else:
            check = assert_satisfied(process, inputs=writing(of, levels), engine=engine)
            assert check["root_after"] == int(step["root"])


@pytest.mark.slow
def test_histories__with_keys_that_share_200_bits(engine):
    """Insertion at depth 201 and back, the longest paths of the vectors."""
    process = record_process(210)
    for step, inputs, of, _ in replayed("prefixes"):
        if inputs is writing:
            check = assert_satisfied(process, inputs=writing(of, 210), engine=engine)
            assert check["root_after"] == int(step["root"])


def colliding():
    """Three keys that part at the last level of a tree of LEVELS, so that it is full in depth."""
    tree = SparseMerkleTree()
    low = 0b10110 << 3
    tree.insert(low, 1)
    tree.insert(7, 2)
    return tree, low, low + (1 << (LEVELS - 1))


def test_full_depth__is_used_and_not_exceeded(verify, process, engine):
    tree, low, high = colliding()
    write = tree.insert(high, 3)
    assert len(tree.find(high).siblings) == LEVELS
    assert_satisfied(process, inputs=writing(write), engine=engine)
    for key in (low, high, low + (1 << LEVELS)):
        assert_satisfied(verify, inputs=reading(tree, key), engine=engine)
    check = assert_satisfied(process, inputs=writing(tree.delete(low)), engine=engine)
    assert check["root_after"] == tree.root
    # Two keys that agree in all ten bits have no place in ten levels.
    too_deep = tree.insert(high + (1 << LEVELS), 4)
    assert_unsatisfied(process, inputs=writing(too_deep), by="keys part/the keys part at the last level")
    with pytest.raises(ValueError, match="a path of 11 siblings does not fit 10 levels"):
        reading(tree, high)


def test_delete__to_the_empty_tree(process):
    tree = SparseMerkleTree()
    insert = tree.insert(9, 9)
    assert insert.is_old0
    assert insert.root_before == 0
    assert_satisfied(process, inputs=writing(insert))
    delete = tree.delete(9)
    assert delete.is_old0
    assert delete.root_after == 0
    assert assert_satisfied(process, inputs=writing(delete))["root_after"] == 0


def test_delete__may_leave_a_lone_leaf_below_its_place(process):
    """What sparse_write does not state, as circomlib's SMTProcessor: ``is_old0`` beside a leaf. The map is
    right, the root is not the tree's."""
    tree = SparseMerkleTree()
    tree.insert(0, 1)
    tree.insert(1, 2)
    before, lone = tree.root, sparse_leaf(0, 1)
    honest = writing(tree.delete(1))
    assert (honest["is_old0"], tree.root) == (0, lone)
    stubborn = honest | {
        "is_old0": 1,
        "root": before,
        "lanes": smt.sparse_lanes(1, [lone], LEVELS),
    }
    check = assert_satisfied(process, inputs=stubborn)
    assert check["root_after"] == sparse_root(1, 0, (lone,)) != tree.root


def test_nothing__leaves_any_root(process):
    tree, _low, high = colliding()
    given = writing(tree.insert(high, 3)) | {"insert": 0, "change": 0, "old_key": high, "root": 12345}
    assert assert_satisfied(process, inputs=given)["root_after"] == 12345


def test_verify__refuses_what_is_not_so(verify):
    tree, low, high = colliding()
    there, beside = reading(tree, low), reading(tree, high)
    tree.insert(high, 3)
    empty = reading(tree, 1 << 6)
    assert (there["is_exclusion"], beside["is_exclusion"], beside["is_empty"]) == (0, 1, 0)
    assert (empty["is_exclusion"], empty["is_empty"]) == (1, 1)
    for good in (there, beside, empty):
        assert_satisfied(verify, inputs=good)
    for good, lie in (
        (there, {"value": 5}),
        (there, {"key": low + 2}),
        (beside, {"is_exclusion": 0, "value": 0}),  # an absent key as present
        (beside, {"is_empty": 1}),
        (empty, {"is_empty": 0, "other_key": 3}),
        (beside, {"other_value": 77}),
        (empty, {"is_exclusion": 0}),
    ):
        assert_unsatisfied(verify, inputs=good | lie, by="the root", only=True)
    # A key that is there is not excluded by its own leaf.
    own = there | {"is_exclusion": 1, "other_key": low, "other_value": 1}
    assert_unsatisfied(verify, inputs=own, by="the other leaf has another key", only=True)


def test_process__refuses_what_is_not_so(process):
    tree, low, high = colliding()
    beside = writing(tree.insert(high, 3))
    empty = writing(tree.insert(1, 4))
    update = writing(tree.update(low, 5))
    delete = writing(tree.delete(high))
    for good in (beside, empty, update, delete):
        assert_satisfied(process, inputs=good)
    lanes = list(beside["lanes"])
    for good, lie, by in (
        (beside, {"root": 1}, "the root before"),
        (beside, {"is_old0": 1}, "the root before"),
        (beside, {"old_value": 8}, "the root before"),
        (beside, {"old_key": high}, "keys part/the keys part at the last level"),
        (beside, {"lanes": [*lanes[:8], lanes[8] + 1, lanes[9]]}, "the root before"),
        (beside, {"insert": 0, "change": 1}, "an update keeps the key"),
        (update, {"old_value": 3}, "the root before"),
        (update, {"old_key": high}, "an update keeps the key"),
        (delete, {"value": 4}, "the root before"),
        (delete, {"is_old0": 1}, "the root before"),
        (empty, {"is_old0": 0, "old_key": 3}, "the root before"),
    ):
        assert_unsatisfied(process, inputs=good | lie, by=by)


def test_keys__are_taken_by_their_canonical_bits_only(verify):
    """The bits of key + r name another path; a prover must not walk it."""
    tree, low, _ = colliding()
    check = assert_satisfied(verify, inputs=reading(tree, low))
    site = next(h for h in verify.hints if h.kind == "bits")
    other = low + MODULUS
    assert_unsatisfied(
        verify,
        inputs=reading(tree, low),
        override={site: [other >> i & 1 for i in range(len(site.columns))]},
        by="bits below r",
    )
    assert [check.values[c] for c in site.columns] == [low >> i & 1 for i in range(len(site.columns))]


def test_depths__cannot_be_lied_about(verify, process):
    """Every depth bit, the side and the quotients; key bits are tested with their gadget."""
    tree, low, high = colliding()
    beside = reading(tree, high)
    included = reading(tree, low) | {"other_key": 1}  # of the key itself the quotient would be free
    checks = [(verify, beside), (verify, included)]
    checks.append((process, writing(tree.insert(high, 3))))
    checks.append((process, writing(tree.delete(7))))
    for template, inputs in checks:
        hints = [h for h in template.hints if len(h.columns) == 1]
        assert_lies_caught(template, inputs=inputs, hints=hints)


def test_wires__are_bound(verify, process):
    """Where the path is not empty and another leaf is there, no wire is free but siblings below the end,
    which the circuit does not look at."""
    tree, _low, high = colliding()
    below = {f"lanes[{i}]" for i in range(LEVELS)}
    assert_every_wire_bound(verify, inputs=reading(tree, high), allowed=below)
    assert_every_wire_bound(process, inputs=writing(tree.insert(high, 3)))


def test_write__past_the_end_of_the_tree_cannot_replace_a_sibling(process):
    """In a deletion the tree after is what the prover says: its path may not be longer than the one
    before, or its siblings would be anyone's."""
    tree, _low, high = colliding()
    tree.insert(high, 3)
    delete = tree.delete(high)
    given = writing(delete)
    forged = list(given["lanes"])
    hints = {h.scope: h for h in process.hints if h.kind == "value"}
    assert hints  # every depth bit is a hint of its own
    depths = [h for h in process.hints if h.kind == "value" and h.scope.startswith("level")]
    override = {}
    for upper, lower in zip(depths[:LEVELS], depths[LEVELS:], strict=True):
        level = int(upper.scope.split()[1])
        override[upper] = [int(level < 9)]
        override[lower] = [int(level < 4)]
    forged[8] = (forged[8] + 1) % MODULUS
    assert_unsatisfied(
        process, inputs=given | {"lanes": forged}, override=override, by="depths/bit of a 4-bit number"
    )


@pytest.mark.parametrize("levels", [1, 3])
def test_update_inclusion_exclusion__alone(levels, record, engine):
    rng = random.Random(levels)
    tree = SparseMerkleTree()
    keys = list(range(2**levels))
    for key in keys[:-1]:
        tree.insert(key, rng.randrange(MODULUS))
    key, absent = keys[0], keys[-1]

    def body(cs, i):
        change = smt.sparse_update(cs, i["key"], i["value"], i["new"], i["lanes"])
        return {
            "before": change.before,
            "after": change.after,
            "included": smt.sparse_inclusion(cs, i["key"], i["value"], i["lanes"]),
            "excluded": smt.sparse_exclusion(
                cs, i["absent"], i["other_key"], i["other_value"], i["empty"], i["absent_lanes"]
            ),
        }

    template = record(
        body,
        "key value new absent other_key other_value",
        bools="empty",
        arrays={"lanes": levels, "absent_lanes": levels},
    )
    found, gone = tree.find(key), tree.find(absent)
    other = gone.other or (absent + 1, 0)
    given = {
        "key": key,
        "value": found.value,
        "new": 5,
        "absent": absent,
        "other_key": other[0],
        "other_value": other[1],
        "empty": int(gone.is_empty),
        "lanes": smt.sparse_lanes(key, found.siblings, levels),
        "absent_lanes": smt.sparse_lanes(absent, gone.siblings, levels),
    }
    check = assert_satisfied(template, inputs=given, engine=engine)
    assert check["before"] == check["included"] == check["excluded"] == tree.root
    assert check["after"] == sparse_root(key, sparse_leaf(key, 5), found.siblings)


def test_rows__are_as_documented(record, rows_of, verify, process):
    n = LEVELS
    assert rows_of(verify) == 546 + 239 * n
    assert rows_of(process) == 1098 + n.bit_length() + 482 * n


def test_shapes__are_refused_by_name():
    cs = ConstraintSystem("shape")
    key = cs.input("key")
    with pytest.raises(ValueError, match="a sparse tree of 0 levels: expected 1 to 254, the bits of a key"):
        smt.sparse_inclusion(cs, key, key, [])
    flag = cs.input_bool("flag")
    with pytest.raises(ValueError, match="a write of 253 levels: expected 1 to 252"):
        smt.sparse_write(cs, flag, key, key, key, key, flag, cs.input_array("lanes", 253))
