"""A one-hot vector chooses, and nothing ties it to the index.

Source: class, "unbound index": Polygon's zkEVM, Scroll's trie circuits.
Exploit: the prover reads another entry of the array than the one that the caller named.
Repair: each flag times (index - place) is zero.
"""

PROPERTIES = ("C4", "C9")
FLAGGED_BY = {"free": ("chosen",)}
VALID = [{"index": 2, "values": [5, 6, 7, 8]}]


def record(cs, repaired):
    index, values = cs.input("index"), cs.input_array("values", 4)
    flags = cs.hint_python(lambda i: [int(i == k) for k in range(4)], [index], 4)
    bits = [cs.assert_bool(flag, label="flag is 0 or 1") for flag in flags]
    cs.assert_equal(cs.sum(bits), 1, label="one flag is 1")
    if repaired:
        for k, flag in enumerate(bits):
            cs.enforce(flag, index - k, 0, label="the flag stands at the index")
    cs.export("next index", index + 1)
    cs.export("chosen", cs.sum([flag * value for flag, value in zip(bits, values, strict=True)]))
