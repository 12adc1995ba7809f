"""Files that circom and snarkjs write, read and written: ``.r1cs``, ``.wtns``, ``.sym``.

The package must not know how a circuit is written, proved or verified. Every reader compares each length
and count with the file before it allocates anything, and names what it found where (:class:`FormatError`).
"""
