"""What lies around the model of the contract: ETH, ERC-20s and their holders, and verifiers.

This module must not know of the rollup: it moves amounts between addresses, and answers for proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.l1.interface import TokenBehaviour, VerifierBehaviour
from zkrollup.state.exceptions import InvalidParameter, Refusal
from zkrollup.verifier import MalformedInput, verify

__all__ = [
    "ACCOUNTS",
    "InsecureKey",
    "InsufficientFunds",
    "KeyVerifier",
    "StampVerifier",
    "TokenRefuses",
    "Verifier",
    "World",
    "stamp",
]

NUM_PUBLIC_INPUTS = 3

Verifier = Callable[[Sequence[int], Proof], bool]
"""What stands behind a verifier's address: whether a proof holds for three public inputs."""

ETHER = 0
"""In place of a token's address: ETH itself."""

_FIRST_CONTRACT = 0x1000_0000_0000_0000_0000_0000_0000_0000_0000_0001
ACCOUNTS = (
    0x7E5F4552091A69125D5DFCB7B8C2659029395BDF,
    0x2B5AD5C4795C026514F8317C7A215E218DCCD6CF,
    0x6813EB9362372EEF6200F3B1DBC3F819671CBA69,
    0x1EFF47BC3A10A45D4B230B5D10E37751FE6AA718,
    0xE1AB8145F7E55DC933D51A18C793F901A3A0B276,
    0xE57BFE9F44B819898F47BF37E5AF72A0783E1141,
    0xD41C057FD1C78805AAC12B0A94A405C0461A6FBB,
    0xF1F6619B38A98D6DE0800F1DEFC0A6399EB6D30C,
    0xF7EDC8FA1ECC32967F827C9043FCAE6BA73AFA5C,
    0x4CCEBA2D7D2B4FDCE4304D3E09A1FEA9FBEB1528,
)
"""The addresses of the private keys 1 to 10 of secp256k1, which every test chain can sign for."""

_ETHER_TO_SPARE = 10**30


class TokenRefuses(Exception):
    """A payment that the token or the receiver does not let through."""


@dataclass(eq=False)
class InsufficientFunds(Refusal):
    """A sender who has less ETH than it sends: no chain takes such a transaction."""

    sender: int
    balance: int
    value: int
    label = "insufficient funds"
    problem = "{sender:#042x} has {balance} wei and sends {value}"
    remedy = "fund the sender"


@dataclass(eq=False)
class InsecureKey(Refusal):
    """The verifying key comes from a one-party setup."""

    digest: str
    label = "insecure key"
    problem = "one party made verifying key {digest} and could forge proofs under it"
    remedy = "use a key from a ceremony; pass allow_insecure_key=True where nothing of value is at stake"


class KeyVerifier:
    """A verifier contract for one Groth16 key with three public inputs.

    Raises :class:`InvalidParameter` for another number of inputs, and :class:`InsecureKey` for a key that
    one party made unless ``allow_insecure_key`` says that nothing of value is at stake.
    """

    def __init__(self, verifying_key: VerifyingKey, *, allow_insecure_key: bool = False) -> None:
        if verifying_key.num_public != NUM_PUBLIC_INPUTS:
            raise InvalidParameter(
                "verifying key", f"a key for {verifying_key.num_public} inputs", "one for three"
            )
        if verifying_key.insecure and not allow_insecure_key:
            raise InsecureKey(verifying_key.digest)
        self.verifying_key = verifying_key

    def __call__(self, inputs: Sequence[int], proof: Proof) -> bool:
        """Whether the proof holds; what is malformed does not."""
        try:
            return verify(self.verifying_key, inputs, proof)
        except MalformedInput:
            return False


def stamp(inputs: Sequence[int]) -> Proof:
    """The "proof" that a :class:`StampVerifier` accepts for these inputs: whoever may call this decides what
    counts as proved."""
    digest = int.from_bytes(keccak256(b"".join(value.to_bytes(32, "big") for value in inputs)), "big")
    return Proof((digest, 0), ((0, 0), (0, 0)), (0, 0))


class StampVerifier:
    """A verifier for tests that prove nothing: a proof is a stamp on its public inputs."""

    def __call__(self, inputs: Sequence[int], proof: Proof) -> bool:
        """Whether A's first coordinate is the keccak of the inputs."""
        return proof.a[0] == stamp(inputs).a[0]


class _Constant:
    def __init__(self, answer: bool) -> None:
        self._answer = answer

    def __call__(self, inputs: Sequence[int], proof: Proof) -> bool:
        return self._answer


_BEHAVIOURS: dict[VerifierBehaviour, Callable[[], Verifier]] = {
    VerifierBehaviour.ACCEPTS: lambda: _Constant(True),
    VerifierBehaviour.REJECTS: lambda: _Constant(False),
    VerifierBehaviour.STAMP: StampVerifier,
}


class World:
    """Balances by token address (0: ETH) and holder; which addresses hold code; and what they do.

    ``hook`` is called with (token address, from, to, amount) in the midst of every payment, as the
    receiver's or the token's code would be: a test can call the contract back from there.
    """

    def __init__(self) -> None:
        self.balances: dict[tuple[int, int], int] = {}
        self.tokens: dict[int, TokenBehaviour] = {}
        self.verifiers: dict[int, Verifier] = {}
        self.refusers: set[int] = set()
        self.hook: Callable[[int, int, int, int], None] | None = None
        self._next_address = _FIRST_CONTRACT
        self.accounts = ACCOUNTS
        for account in self.accounts:
            self.mint(ETHER, account, _ETHER_TO_SPARE)

    def deploy_token(self, behaviour: TokenBehaviour, address: int | None = None) -> int:
        """A new ERC-20's address."""
        address = self._new_address() if address is None else address
        self.tokens[address] = TokenBehaviour(behaviour)
        return address

    def deploy_verifier(self, verifier: VerifierBehaviour | Verifier, address: int | None = None) -> int:
        """A new verifier's address."""
        address = self._new_address() if address is None else address
        made = _BEHAVIOURS[verifier]() if isinstance(verifier, VerifierBehaviour) else verifier
        self.verifiers[address] = made
        return address

    def deploy_refuser(self, address: int | None = None) -> int:
        """The address of a contract that refuses all ETH."""
        address = self._new_address() if address is None else address
        self.refusers.add(address)
        return address

    def has_code(self, address: int) -> bool:
        """Whether a contract lies there."""
        return address in self.tokens or address in self.verifiers or address in self.refusers

    def balance(self, token_address: int, holder: int) -> int:
        """What somebody has of a token."""
        return self.balances.get((token_address, holder), 0)

    def mint(self, token_address: int, holder: int, amount: int) -> None:
        """Give somebody more of a token."""
        self.balances[token_address, holder] = self.balance(token_address, holder) + amount

    def move(self, token_address: int, source: int, target: int, amount: int) -> int:
        """Pay; returns what arrived. Raises :class:`TokenRefuses`, and has then moved nothing."""
        behaviour = TokenBehaviour.PLAIN
        if token_address == ETHER:
            if target in self.refusers:
                raise TokenRefuses(f"{target:#042x} refuses ETH")
        elif token_address not in self.tokens:
            raise TokenRefuses(f"there is no token at {token_address:#042x}")
        else:
            behaviour = self.tokens[token_address]
        if behaviour in (TokenBehaviour.RETURNS_FALSE, TokenBehaviour.REVERTS):
            raise TokenRefuses(f"{token_address:#042x} refuses every transfer")
        held = self.balance(token_address, source)
        if held < amount:
            raise TokenRefuses(f"{source:#042x} has {held} of {amount}")
        fee = amount // 100 if behaviour == TokenBehaviour.FEE_ON_TRANSFER else 0
        self.balances[token_address, source] = held - amount
        self.mint(token_address, target, amount - fee)
        if self.hook is not None:
            self.hook(token_address, source, target, amount)
        return amount - fee

    def _new_address(self) -> int:
        self._next_address += 1
        return self._next_address
