"""The JSON-lines form: one way to write, strict ways to read, errors that say where."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.eddsa import PrivateKey, Signature
from zkrollup.crypto.poseidon import poseidon_reference
from zkrollup.state import (
    ChangeKey,
    Deposit,
    ForcedExit,
    Noop,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    group_hash,
    parse_transactions,
    sign_group,
)
from zkrollup.state.exceptions import (
    InvalidKey,
    InvalidParameter,
    OutOfRange,
    TransactionFormatError,
    UnencodableFee,
)
from zkrollup.state.transactions import (
    FOREVER,
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
elements = st.just(0) | st.integers(0, FR_MODULUS - 1)
rest = (st.just(FOREVER) | indices, elements, elements, signatures)
key = (st.just(KEY[0]), st.just(KEY[1]))
transactions = st.one_of(
    st.builds(Transfer, indices, indices, indices, balances, balances, nonces, *rest),
    st.builds(
        TransferToAddress, indices, addresses, indices, balances, balances, nonces, *rest, st.none() | indices
    ),
    st.builds(TransferToNew, indices, *key, addresses, indices, balances, balances, nonces, *rest),
    st.builds(ChangeKey, indices, *key, indices, balances, nonces, *rest),
    st.builds(Withdraw, indices, addresses, indices, balances, balances, nonces, *rest),
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
    assert (
        format_transactions([Transfer(1, 2, 0, 1000, 1, 0, signature=Signature(5, 6, 7))]) == TRANSFER + "\n"
    )
    assert format_transactions(
        [
            Withdraw(1, 9, 2, 3, 4, 5),
            TransferToAddress(1, 9, 2, 3, 4, 5, 6, 7, 8),
            TransferToAddress(1, 9, 2, 3, 4, 5, recipient=6),
            TransferToNew(1, *KEY, 9, 2, 3, 4, 5),
            ChangeKey(1, *KEY, 2, 4, 5),
            Deposit(0, 2**100, *KEY, 0xAB),
            ForcedExit(3, 2**160 - 1),
            Noop(),
        ]
    ).splitlines() == [
        f'{{"kind":"withdraw","from":1,"eth_address":"0x{"0" * 39}9","token":2,"amount":"3","fee":"4",'
        '"nonce":5,"signature":null}',
        f'{{"kind":"transfer_to_address","from":1,"eth_address":"0x{"0" * 39}9","token":2,"amount":"3",'
        '"fee":"4","nonce":5,"valid_until":6,"memo":"7","group":"8","signature":null}',
        f'{{"kind":"transfer_to_address","from":1,"eth_address":"0x{"0" * 39}9","to":6,"token":2,'
        '"amount":"3","fee":"4","nonce":5,"signature":null}',
        f'{{"kind":"transfer_to_new","from":1,"ax":"{KEY[0]}","ay":"{KEY[1]}",'
        f'"eth_address":"0x{"0" * 39}9","token":2,"amount":"3","fee":"4","nonce":5,"signature":null}}',
        f'{{"kind":"change_key","from":1,"ax":"{KEY[0]}","ay":"{KEY[1]}","token":2,"fee":"4","nonce":5,'
        '"signature":null}',
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
    ("kind", "transfr", "kind", "'transfr'", "one of noop, deposit, transfer, transfer_to_address, "),
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
    ("memo", "hi", "memo", "'hi'", "an integer from 0 to 2^254 - 1"),
    ("memo", str(FR_MODULUS), "memo", repr(str(FR_MODULUS)), "a number below r"),
    ("group", FR_MODULUS, "group", str(FR_MODULUS), "a number below r"),
    ("group", None, "group", "null", "an integer from 0 to 2^254 - 1"),
    ("valid_until", 2**32, "valid_until", "4294967296", "an integer from 0 to 2^32 - 1"),
    ("comment", "hi", "comment", "an unknown field", "one of kind, from, to, token"),
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
        (Withdraw, {"sender": 1, "eth_address": 2, "token": 3, "amount": 4, "fee": 5, "nonce": 6}),
        (TransferToAddress, {"sender": 1, "eth_address": 2, "token": 3, "amount": 4, "fee": 5, "nonce": 6}),
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
    tail = 17 << 68 | 19 << 100 | (1 << 7 | 23) << 140 | 97 << 152
    signed = (230, 19, 97, 31, 37)
    x, y = KEY
    amount = 10**30 + 1
    cases = [
        (Transfer(11, 13, 17, amount, *signed), 2 | 13 << 36, (amount, 0, 0, 0)),
        (TransferToAddress(11, 29, 17, amount, *signed, recipient=13), 7, (amount, 29, 0, 0)),
        (TransferToNew(11, x, y, 29, 17, amount, *signed), 6, (amount, 29, x, y)),
        (ChangeKey(11, x, y, 17, *signed), 5, (0, 0, x, y)),
        (Withdraw(11, 29, 17, amount, *signed), 3, (amount, 29, 0, 0)),
    ]
    for transaction, head, words in cases:
        core = poseidon_reference([domain, head | 11 << 4 | tail, *words, 31])
        assert transaction.core(31337, 0xA11CE) == core
        assert transaction.message(31337, 0xA11CE) == poseidon_reference([core, 37])


def test_valid_until__memo_and_group_have_defaults() -> None:
    transfer = Transfer(1, 2, 3, 4, 5, 0)
    assert (transfer.valid_until, transfer.memo, transfer.group) == (2**32 - 1, 0, 0)


def test_group_hash__chains_the_cores_in_order() -> None:
    members = [Transfer(1, 2, 3, 4, 5, 0), Withdraw(2, 9, 8, 7, 6, 5)]
    cores = [member.core(1, 2) for member in members]
    tag = int.from_bytes(b"zkrollup/group/v1", "big")
    assert group_hash(members, 1, 2) == poseidon_reference([poseidon_reference([tag, cores[0]]), cores[1]])
    assert group_hash(members[::-1], 1, 2) != group_hash(members, 1, 2)
    with pytest.raises(InvalidParameter, match="group"):
        group_hash([], 1, 2)


def test_sign_group__signs_each_member_for_the_whole() -> None:
    keys = [PrivateKey(bytes([i]) * 32) for i in (1, 2)]
    members = [Transfer(1, 2, 3, 4, 5, 0, memo=6), ChangeKey(2, *KEY, 8, 6, 5)]
    group = group_hash(members, 1, 2)
    for member, made, key in zip(members, sign_group(members, keys, 1, 2), keys, strict=True):
        assert made.group == group
        assert made.core(1, 2) == member.core(1, 2)
        assert made.signature == key.sign(poseidon_reference([member.core(1, 2), group]))
    with pytest.raises(ValueError, match="shorter"):
        sign_group(members, keys[:1], 1, 2)


@pytest.mark.parametrize("make", [TransferToNew, ChangeKey])
@pytest.mark.parametrize("key", [(0, 0), (1, 1), (KEY[0] + FR_MODULUS, KEY[1]), (0, 2**254)])
def test_transactions__refuse_keys_that_no_account_may_have(make, key) -> None:
    fields = {"sender": 1, "token": 2, "fee": 3, "nonce": 4}
    if make is TransferToNew:
        fields |= {"eth_address": 5, "amount": 6}
    make(**fields, ax=KEY[0], ay=KEY[1])
    with pytest.raises(InvalidKey):
        make(**fields, ax=key[0], ay=key[1])


def test_transactions__refuse_memos_and_groups_that_are_no_field_elements() -> None:
    for name in ("memo", "group", "valid_until"):
        for value in (-1, FR_MODULUS, 1.0, True):
            with pytest.raises(OutOfRange, match=name):
                Transfer(1, 2, 3, 4, 5, 6, **{name: value})


def test_transactions__refuse_to_pay_the_zero_address() -> None:
    for make in (Withdraw, TransferToAddress):
        with pytest.raises(InvalidParameter, match="eth_address"):
            make(1, 0, 3, 4, 5, 6)
    with pytest.raises(InvalidParameter, match="eth_address"):
        TransferToNew(1, *KEY, 0, 3, 4, 5, 6)


def test_message__does_not_exist_for_a_fee_without_code() -> None:
    with pytest.raises(UnencodableFee):
        Transfer(1, 2, 3, 4, 128, 0).message(1, 1)


def test_message__refuses_chain_and_rollup_ids_out_of_range() -> None:
    for chain_id, rollup_id in ((2**64, 1), (1, 2**160), (-1, 1)):
        with pytest.raises(OutOfRange):
            Transfer(1, 2, 3, 4, 5, 0).message(chain_id, rollup_id)
