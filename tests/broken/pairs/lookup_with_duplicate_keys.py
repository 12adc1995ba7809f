"""A lookup finds a row of a table by its key, and keys may repeat.

Source: class, "lookup with duplicates"; a table that the prover supplies.
Exploit: with the same key twice the prover reads either value.
Repair: key and place are tied: the table is indexed by its keys.
"""

PROPERTIES = ("C4",)
FLAGGED_BY = {"free": ("found",), "accepted": ()}
VALID = [{"wanted": 1, "keys": [0, 1, 2], "values": [7, 8, 9]}]
INVALID = [({"wanted": 1, "keys": [1, 1, 2], "values": [7, 8, 9]}, "keys are the places")]


def record(cs, repaired):
    wanted, keys, values = cs.input("wanted"), cs.input_array("keys", 3), cs.input_array("values", 3)
    if repaired:
        for place, key in enumerate(keys):
            cs.assert_equal(key, place, label="keys are the places")

    def first(wanted, *keys):
        place = keys.index(wanted) if wanted in keys else 0
        return [int(place == k) for k in range(3)]

    flags = [cs.assert_bool(f, label="flag is 0 or 1") for f in cs.hint_python(first, [wanted, *keys], 3)]
    cs.assert_equal(cs.sum(flags), 1, label="one row is chosen")
    for place, (flag, key) in enumerate(zip(flags, keys, strict=True)):
        cs.enforce(flag, wanted - (place if repaired else key), 0, label="the chosen row has the key")
    cs.export("found", cs.sum([flag * value for flag, value in zip(flags, values, strict=True)]))
