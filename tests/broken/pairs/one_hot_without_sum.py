"""The flags of a one-hot vector are tied to the index, but may all be zero.

Source: class; a multiplexer of Scroll's and of PSE's zkEVM lacked the sum in review.
Exploit: with all flags zero the chosen value is 0, whatever the index.
Repair: the flags add up to 1.
"""

PROPERTIES = ("C4", "C7")
FLAGGED_BY = {"free": ("chosen",)}
VALID = [{"index": 2, "v0": 5, "v1": 6, "v2": 7, "v3": 8}]


def rows(c, repaired):
    index = c.input("index")
    values = [c.input(f"v{i}") for i in range(4)]
    flags, terms = [], []
    for i, value in enumerate(values):
        flag = c.signal(f"flag{i}", lambda v, i=i: int(v["index"] == i))
        c.enforce(flag, index - i, 0, f"flag {i} only at {i}")
        flags.append(flag)
        terms.append(c.product(f"term{i}", flag, value))
    if repaired:
        c.enforce(1, flags[0] + flags[1] + flags[2] + flags[3], 1, "one flag is 1")
    chosen = c.output("chosen", lambda v: sum(v[f"term{i}"] for i in range(4)))
    c.enforce(1, terms[0] + terms[1] + terms[2] + terms[3], chosen, "chosen")
