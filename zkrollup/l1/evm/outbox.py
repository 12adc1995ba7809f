"""What a sender has sent to a chain and may be in no block yet, on disk before it is sent.

This module must not know what is sent, nor how. Of each sender it keeps the transactions of one nonce, the
last one used: at most one of them is ever in a block, whichever it is. Who finds them after a crash follows
them, or sends another one with the same nonce, and never a second one with the next.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

__all__ = ["Attempt", "Outbox", "Sent"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One transaction: its hash (``0x``), the digest of the call that it makes, its gas, its fees in wei for
    each unit of it, and when it was sent, in seconds since the epoch."""

    hash: str
    call: str
    gas: int
    max_fee: int
    tip: int
    sent_at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """The transactions of one nonce, oldest first; ``raw`` is the signed form of the last one, to be sent
    again. ``told``: whoever made the call has been given its receipt."""

    nonce: int
    attempts: tuple[Attempt, ...]
    raw: str
    told: bool = False

    @property
    def last(self) -> Attempt:
        """The one that pays most."""
        return self.attempts[-1]

    def with_attempt(self, attempt: Attempt, raw: str) -> Sent:
        """With one more transaction of the same nonce."""
        return replace(self, attempts=(*self.attempts, attempt), raw=raw, told=False)


class Outbox:
    """By sender what was sent last; in the file ``path``, or for as long as this object lives.

    Whoever asks it raises ``ValueError`` for a file that is no outbox, ``OSError``.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._sent: dict[int, Sent] | None = None

    @property
    def _all(self) -> dict[int, Sent]:
        """Read when it is first asked for, so that whoever has a lock for the file has it by then."""
        if self._sent is None:
            self._sent = {} if self.path is None or not self.path.exists() else _read(self.path)
        return self._sent

    def last(self, sender: int) -> Sent | None:
        """What this sender has sent last."""
        return self._all.get(sender)

    def keep(self, sender: int, sent: Sent | None) -> None:
        """Replaces it: on disk when this returns, whole or not at all. ``None``: nothing was sent."""
        changed = {name: value for name, value in self._all.items() if name != sender}
        if sent is not None:
            changed[sender] = sent
        if self.path is not None:
            _write(self.path, {f"{name:#042x}": asdict(value) for name, value in changed.items()})
        self._sent = changed


def _read(path: Path) -> dict[int, Sent]:
    try:
        forms = json.loads(path.read_text())
        return {int(sender, 16): _sent(form) for sender, form in forms.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: not what an outbox writes ({error!r}); move it away") from None


def _sent(form: Any) -> Sent:
    attempts = tuple(Attempt(**attempt) for attempt in form["attempts"])
    if not attempts:
        raise ValueError("a nonce without a transaction")
    return Sent(form["nonce"], attempts, form["raw"], form["told"])


def _write(path: Path, content: Any) -> None:
    draft = path.with_name(path.name + ".new")
    with draft.open("w") as file:
        json.dump(content, file)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
