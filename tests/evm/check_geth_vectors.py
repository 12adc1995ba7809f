"""Do the pure-Python twin and the EVMs answer go-ethereum's own vectors for the BN254 precompiles?

Usage, with a checkout of https://github.com/ethereum/go-ethereum:

    python tests/evm/check_geth_vectors.py /path/to/go-ethereum

Reads core/vm/testdata/precompiles/bn256*.json there; asks zkrollup.l1.evm.precompiles and every EVM that is
installed (`pip install '.[l1,l1-exact]'`). Prints how many cases agree and exits with 1 when one does not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.precompiles import EC_ADD, EC_MUL, EC_PAIRING, PRECOMPILES, gas_cost
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import MissingLibrary, Reverted, Transport

FILES = {"bn256Add": EC_ADD, "bn256ScalarMul": EC_MUL, "bn256Pairing": EC_PAIRING}
Answer = Callable[[int, bytes], bytes | None]


def asked(transport: Transport) -> Answer:
    """The precompiles of an EVM."""

    def answer(address: int, data: bytes) -> bytes | None:
        try:
            return transport.call(address, data)
        except Reverted:
            return None

    return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkout", type=Path, help="go-ethereum's folder")
    folder = parser.parse_args().checkout / "core" / "vm" / "testdata" / "precompiles"
    subjects: dict[str, Answer] = {"pure Python": lambda address, data: PRECOMPILES[address](data)}
    for kind in (PyrevmTransport, EthTesterTransport):
        try:
            subjects[kind.name] = asked(kind())
        except MissingLibrary as error:
            print(error, file=sys.stderr)
    wrong = total = 0
    for name, address in FILES.items():
        cases = json.loads((folder / f"{name}.json").read_text())
        total += len(cases)
        agree = dict.fromkeys(subjects, 0)
        for case in cases:
            data, expected = bytes.fromhex(case["Input"]), bytes.fromhex(case["Expected"])
            if gas_cost(address, data) != case["Gas"]:
                wrong += 1
                print(f"{name} {case['Name']}: gas {gas_cost(address, data)}, expected {case['Gas']}")
            for subject, answer in subjects.items():
                found = answer(address, data)
                agree[subject] += found == expected
                if found != expected:
                    wrong += 1
                    print(f"{name} {case['Name']}: {subject} answered {found and found.hex()}")
        print(f"{name}: {len(cases)} cases; " + ", ".join(f"{n} agree by {s}" for s, n in agree.items()))
    print(f"{total} cases, {wrong} answers wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
