"""A decoder says with a flag of its own whether the index was in range, and that flag is free to be 0.

Source: circomlib's Decoder: `success` is only shown to be 0 or 1; all flags zero satisfy the rows as well.
Exploit: a caller that takes success = 0 for "out of range" can be led into that branch for a good index.
Repair: the index is demanded to be in range: the flags add up to 1.
"""

PROPERTIES = ("C4",)
FLAGGED_BY = {"free": ("success", "flag1")}
VALID = [{"index": 1}]
INVALID = [({"index": 9}, "the index is in range")]


def rows(c, repaired):
    index = c.input("index")
    flags = []
    for i in range(4):
        flag = c.signal(f"flag{i}", lambda v, i=i: int(v["index"] == i))
        c.enforce(flag, index - i, 0, f"flag {i} only at {i}")
        flags.append(flag)
    success = c.output("success", lambda v: sum(v[f"flag{i}"] for i in range(4)))
    c.enforce(1, flags[0] + flags[1] + flags[2] + flags[3], success, "success is the sum")
    if repaired:
        c.enforce(1, success, 1, "the index is in range")
    else:
        c.enforce(success, success - 1, 0, "success is 0 or 1")
