"""The JSON-lines form: one way to write, strict ways to read, errors that say where."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkrollup.crypto.eddsa import PrivateKey, Signature
from zkrollup.crypto.poseidon import poseidon_reference
from zkrollup.state import Deposit, ForcedExit, Noop, Transfer, Withdraw, parse_transactions
from zkrollup.state.exceptions import OutOfRange, TransactionFormatError, UnencodableFee
from zkrollup.state.transactions import (
    format_transactions,
    read_transactions,
    transaction_from_dict,
    transaction_to_dict,
)

KEY = PrivateKey(b"k" * 32).public_key
SIGNATURE = Signature(1, 2**253, 2**256 - 1)
TRANSFER = (
    '{"kind":"transfer","from":1,"to":2,"token":0,"amount":"1000","fee":"1","nonce":0,'
    '"signature":{"r8":["5","6"],"s":"7"}}'
)

indices = st.integers(0, 2**32 - 1)
balances = st.integers(0, 2**128 - 1)
nonces = st.integers(0, 2**40 - 1)
addresses = st.integers(1, 2**160 - 1)
words = st.integers(0, 2**256 - 1)
signatures = st.none() | st.builds(Signature, words, words, words)
transactions = st.one_of(
    st.builds(Transfer, indices, indices, indices, balances, balances, nonces, signatures),
    st.builds(Withdraw, indices, indices, balances, balances, nonces, signatures),
    st.builds(Deposit, indices, balances, st.just(KEY[0]), st.just(KEY[1]), addresses),
    st.builds(ForcedExit, indices, addresses),
    st.just(Noop()),
)


@given(st.lists(transactions, max_size=5))
def test_format__is_read_back_and_is_canonical(given_transactions) -> None:
    text = format_transactions(given_transactions)
    parsed = parse_transactions(text.split("\n"), "file")
    assert parsed == given_transactions
    assert format_transactions(parsed) == text


def test_format__is_this_text() -> None:
    assert format_transactions([Transfer(1, 2, 0, 1000, 1, 0, Signature(5, 6, 7))]) == TRANSFER + "\n"
    assert format_transactions(
        [
            Withdraw(1, 2, 3, 4, 5),
            Deposit(0, 2**100, *KEY, 0xAB),
            ForcedExit(3, 2**160 - 1),
            Noop(),
        ]
    ).splitlines() == [
        '{"kind":"withdraw","from":1,"token":2,"amount":"3","fee":"4","nonce":5,"signature":null}',
        f'{{"kind":"deposit","token":0,"amount":"{2**100}","ax":"{KEY[0]}","ay":"{KEY[1]}",'
        f'"eth_address":"0x{"0" * 38}ab"}}',
        f'{{"kind":"forced_exit","account":3,"eth_address":"0x{"f" * 40}"}}',
        '{"kind":"noop"}',
    ]


def test_parse__takes_numbers_as_integers_or_decimal_strings() -> None:
    form = json.loads(TRANSFER) | {"from": "1", "amount": 1000, "fee": 1}
    assert transaction_from_dict(form) == transaction_from_dict(json.loads(TRANSFER))


def test_parse__skips_blank_lines_and_counts_them() -> None:
    with pytest.raises(TransactionFormatError) as caught:
        parse_transactions([TRANSFER, "", "  \n", "nonsense"], "txs.jsonl")
    assert (caught.value.source, caught.value.line, caught.value.name) == ("txs.jsonl", 4, "")


CHANGES = [
    # field, its value, field named, found, expected
    ("kind", "transfr", "kind", "'transfr'", "one of noop, deposit, transfer, withdraw, forced_exit"),
    ("kind", None, "kind", "null", "one of noop"),
    ("amount", "-5", "amount", "'-5'", "an integer from 0 to 2^128 - 1"),
    ("amount", "007", "amount", "'007'", "an integer from 0"),
    ("amount", "1e3", "amount", "'1e3'", "an integer from 0"),
    ("amount", " 1", "amount", "' 1'", "an integer from 0"),
    ("amount", "1\n", "amount", r"'1\n'", "an integer from 0"),
    ("amount", "\u0661", "amount", "'\u0661'", "an integer from 0"),
    ("amount", 1.0, "amount", "1.0", "an integer from 0"),
    ("amount", True, "amount", "true", "an integer from 0"),
    ("amount", None, "amount", "null", "an integer from 0"),
    ("amount", str(2**128), "amount", repr(str(2**128)), "an integer from 0 to 2^128 - 1"),
    ("amount", "9" * 5000, "amount", "'999", "an integer from 0"),
    ("from", 2**32, "from", "4294967296", "an integer from 0 to 2^32 - 1"),
    ("to", -1, "to", "-1", "an integer from 0 to 2^32 - 1"),
    ("token", 2**32, "token", "4294967296", "an integer from 0 to 2^32 - 1"),
    ("nonce", 2**40, "nonce", "1099511627776", "an integer from 0 to 2^40 - 1"),
    ("fee", [], "fee", "[]", "an integer from 0"),
    ("signature", "0x", "signature", "'0x'", 'null or {"r8": [x, y], "s": s}'),
    ("signature", {"r8": ["1", "2"]}, "signature.s", "nothing", "this field"),
    ("signature", {"r8": ["1"], "s": "1"}, "signature.r8", '["1"]', "two coordinates"),
    ("signature", {"r8": ["1", "x"], "s": "1"}, "signature.r8[1]", "'x'", "an integer from 0 to 2^256 - 1"),
    ("signature", {"r8": ["1", "2"], "s": "1", "t": 0}, "signature.t", "an unknown field", "one of r8, s"),
    ("memo", "hi", "memo", "an unknown field", "one of kind, from, to, token"),
]


@pytest.mark.parametrize(("field", "value", "name", "found", "expected"), CHANGES)
def test_parse__names_file_line_and_field(field, value, name, found, expected) -> None:
    broken = json.dumps(json.loads(TRANSFER) | {field: value})
    with pytest.raises(TransactionFormatError) as caught:
        parse_transactions([TRANSFER, broken], "txs.jsonl")
    error = caught.value
    assert (error.source, error.line, error.name) == ("txs.jsonl", 2, name)
    assert error.found.startswith(found)
    assert error.expected.startswith(expected)
    assert len(str(error)) < 300


@pytest.mark.parametrize("field", ["kind", "from", "to", "token", "amount", "fee", "nonce", "signature"])
def test_parse__names_a_missing_field(field: str) -> None:
    form = json.loads(TRANSFER)
    del form[field]
    with pytest.raises(TransactionFormatError, match=f"file, line 1, field {field}: found nothing"):
        parse_transactions([json.dumps(form)], "file")


@pytest.mark.parametrize(
    ("line", "name", "found"),
    [
        ("{", "", "'{'"),
        ("[1]", "", "[1]"),
        ("7", "", "7"),
        (TRANSFER + TRANSFER, "", "'{"),
        ('{"kind":"noop","kind":"noop"}', "kind", "the field twice"),
        ("[" * 100_000, "", "'[["),
        ('{"a":' * 100_000, "", "'{"),
        ("1" * 10_000, "", "'111"),
    ],
)
def test_parse__refuses_lines_that_are_no_object(line: str, name: str, found: str) -> None:
    with pytest.raises(TransactionFormatError) as caught:
        parse_transactions([line], "file")
    assert caught.value.name == name
    assert caught.value.found.startswith(found)


def test_parse__survives_nesting_under_a_raised_recursion_limit() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        for opening in ("[", '{"a":'):
            with pytest.raises(TransactionFormatError):
                parse_transactions([opening * 100_000], "file")
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ax": "1", "ay": "1"}, "ax, ay"),
        ({"ay": "0"}, "ax, ay"),
        ({"eth_address": "0x" + "0" * 40}, "eth_address"),
        ({"eth_address": "0x12"}, "eth_address"),
        ({"eth_address": 5}, "eth_address"),
        ({"ax": str(2**254)}, "ax"),
    ],
)
def test_parse__refuses_deposits_that_l1_would_refuse(change, name) -> None:
    form = transaction_to_dict(Deposit(0, 1, *KEY, 5)) | change
    with pytest.raises(TransactionFormatError) as caught:
        transaction_from_dict(form, source="file", line=3)
    assert (caught.value.name, caught.value.line) == (name, 3)


def test_error_text__says_what_was_found_and_expected() -> None:
    broken = TRANSFER.replace('"1000"', '"many"')
    with pytest.raises(TransactionFormatError) as caught:
        parse_transactions([broken], "txs.jsonl")
    assert str(caught.value) == (
        "malformed transaction: txs.jsonl, line 1, field amount: found 'many'; "
        "expected an integer from 0 to 2^128 - 1"
    )


def test_read__takes_files_with_and_without_a_last_newline(tmp_path) -> None:
    path = tmp_path / "txs.jsonl"
    for text in (TRANSFER, TRANSFER + "\n", TRANSFER + "\r\n\r\n"):
        path.write_bytes(text.encode())
        assert len(read_transactions(path)) == 1


def test_read__names_the_line_that_is_not_utf8(tmp_path) -> None:
    path = tmp_path / "txs.jsonl"
    path.write_bytes(TRANSFER.encode() + b"\n\xff\xfe\n")
    with pytest.raises(TransactionFormatError, match="line 2: found byte 0xff at column 1; expected UTF-8"):
        read_transactions(path)


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (Transfer, {"sender": 1, "recipient": 2, "token": 3, "amount": 4, "fee": 5, "nonce": 6}),
        (Withdraw, {"sender": 1, "token": 3, "amount": 4, "fee": 5, "nonce": 6}),
        (ForcedExit, {"account": 1, "eth_address": 2}),
    ],
)
def test_transactions__refuse_values_out_of_range(make, fields) -> None:
    make(**fields)
    for name in fields:
        for value in (-1, 2**160, 1.5, True):
            with pytest.raises(OutOfRange):
                make(**(fields | {name: value}))


def test_message__is_this_layout() -> None:
    domain = poseidon_reference([31337, 0xA11CE])
    packed = 2 | 11 << 4 | 13 << 36 | 17 << 68 | 19 << 100 | (1 << 7 | 23) << 140
    transfer = Transfer(11, 13, 17, 10**30 + 1, 230, 19)
    assert transfer.message(31337, 0xA11CE) == poseidon_reference([domain, packed, 10**30 + 1])
    packed = 3 | 11 << 4 | 17 << 68 | 19 << 100 | 29 << 140
    withdraw = Withdraw(11, 17, 2**128 - 1, 29, 19)
    assert withdraw.message(31337, 0xA11CE) == poseidon_reference([domain, packed, 2**128 - 1])


def test_message__does_not_exist_for_a_fee_without_code() -> None:
    with pytest.raises(UnencodableFee):
        Transfer(1, 2, 3, 4, 128, 0).message(1, 1)


def test_message__refuses_chain_and_rollup_ids_out_of_range() -> None:
    for chain_id, rollup_id in ((2**64, 1), (1, 2**160), (-1, 1)):
        with pytest.raises(OutOfRange):
            Transfer(1, 2, 3, 4, 5, 0).message(chain_id, rollup_id)
