"""Files that circom and snarkjs write: ``.r1cs``, ``.wtns``, ``.sym`` read and written, ``.zkey`` read.

The package must not know how a circuit is written, proved or verified. Every reader compares each length
and count with the file before it allocates anything, and names what it found where (:class:`FormatError`).
"""
