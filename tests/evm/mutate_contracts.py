"""Does anybody notice when the contract forgets a check or counts one too many? Each change is tried in turn.

Usage, with node, solc (see compile_contracts.py) and pyrevm:

    python tests/evm/mutate_contracts.py --solc /some/folder [--part I/N] [--only REGEX] [--list]

One place of Rollup.sol or BatchData.sol is changed, solc compiles it, and the contract's tests run in revm
until one fails. What is changed, by :data:`KINDS`:

- *left out*: every statement that is no declaration, in Solidity and in assembly: checks, stores, events;
- *compared*: ``<`` and ``<=``, ``>`` and ``>=``, ``==`` and ``!=``, ``&&`` and ``||`` change places;
- *off by one*: a number that is added, taken away, or named as a constant, is one more;
- *rule*: a kind of record loses one of the rules that a constant joins by ``|``;
- *word*: ``lt`` and ``gt``, ``and`` and ``or`` change places in assembly.

Many changes are compiled into one program that makes the one named by the block's coinbase, which no test
sets; a number in a constant or a declaration is compiled by itself. The tests are collected once, each change
is tried in a fork, and the tests that noticed the last ones are asked first.

A change that no test notices has to stand in survivors.txt with the reason why it does no harm, or the
program exits with 1; it does too for a line there that is no change any more. All of it takes half an hour of
one core.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SURVIVORS = Path(__file__).resolve().parent / "survivors.txt"
FILES = ("Rollup.sol", "BatchData.sol")
KINDS = ("left out", "compared", "off by one", "rule", "word")
TESTS = (
    "tests/evm/test_contract_behaviour.py",
    "tests/l1/test_backends_scenarios.py",
    "tests/evm/test_contract_reading.py",
)
TOGETHER = 30
"""Changes in one program; fewer where it would be too large."""

FIRST_COINBASE = 1 << 80
SECONDS, BYTES = 60, 4 << 30
"""Of processor and memory for the tests of one change, which may never end."""

COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
WORDS = {"lt": "gt", "gt": "lt", "and": "or", "or": "and"}
FUNCTION = re.compile(r"\b(?:function (\w+)|constructor)\(")
ASSEMBLY = re.compile(r'assembly \("memory-safe"\) \{')
CONSTANT = re.compile(r"\bconstant (\w+) =([^;]*);")
DECLARATION = re.compile(
    r"\(?(?:uint\d*|bytes\d*|bool|address|[A-Z]\w*(?:\.[A-Z]\w*)?)(?: \w+)? \w+(?: =|;|,|\))"
)
STATEMENT_OF_ASSEMBLY = re.compile(r"(?<=\n)[ ]+(?:\w+ := |mstore8?(?=\()|calldatacopy(?=\()|if )")
WORD = re.compile(r"\b(?:lt|gt|and|or)(?=\()")
COMPARISON = re.compile(r" ([<>=!]=|[<>]|&&|\|\|) ")
CONDITION = re.compile(r"\b(?:if|while) \(")
ADDED = re.compile(r"(?<= [+-] )\d+\b|(?<= [+-]= )\d+\b|(?<=add\(\w{5}, )0x\w+")
LAST_NUMBER = re.compile(r"(?:0x\w+|\b\d+)(?=\s*$)")
RULE = re.compile(r"[A-Z_]+ \| | \| [A-Z_]+(?=$|\))")

# Faster to compile than what is deployed, and not much larger.
OPTIMIZER = {
    "enabled": True,
    "runs": 1,
    "details": {
        "yul": True,
        "yulDetails": {"stackAllocation": True, "optimizerSteps": "dhfoDgvulfnTUtnIf[xa]jmul:"},
    },
}
COMPILE_LINES = """
import { createInterface } from "node:readline";
import solc from "solc";
for await (const line of createInterface({ input: process.stdin })) console.log(solc.compile(line));
"""


class Change(NamedTuple):
    """Other text for a place of a file."""

    begin: int
    end: int
    instead: str


class Mutant(NamedTuple):
    """A change: where it is, of which kind; ``unit`` is the statement or condition in which it can be chosen
    at run time, None where it cannot."""

    file: str
    line: int
    kind: str
    name: str
    change: Change
    unit: tuple[str, int, int] | None


def _compile_contracts() -> Any:
    path = ROOT / "tests" / "evm" / "compile_contracts.py"
    spec = importlib.util.spec_from_file_location("compile_contracts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPILER = _compile_contracts()


# -- what is changed -------------------------------------------------------------------------------------


def without_comments(text: str) -> str:
    """The source with spaces for its comments, so that places stay."""
    return re.sub(r"//[^\n]*", lambda match: " " * len(match[0]), text)


def matching(code: str, opening: int) -> int:
    """The place behind the bracket that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(code)):
        depth += (code[place] in "({") - (code[place] in ")}")
        if depth == 0:
            return place + 1
    raise ValueError(f"{code[opening : opening + 40]!r} is never closed")


def functions(code: str) -> Iterator[tuple[str, int, int]]:
    """(name, begin, end) of each body, its braces included."""
    for match in FUNCTION.finditer(code):
        begin = code.index("{", matching(code, match.end() - 1))
        yield match[1] or "constructor", begin, matching(code, begin)


def assemblies(code: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of each block of assembly, its braces included."""
    for match in ASSEMBLY.finditer(code, begin, end):
        yield match.end() - 1, matching(code, match.end() - 1)


def statements(code: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of each simple statement of a body, its semicolon included."""
    blocks = list(assemblies(code, begin, end))
    start = place = begin + 1
    while place < end:
        block = next((block for block in blocks if block[0] == place), None)
        if block is not None:
            start = place = block[1]
        elif code[place] == "(":
            place = matching(code, place)
        elif code[place] in "{};":
            if code[place] == ";":
                yield start + len(code[start:place]) - len(code[start:place].lstrip()), place + 1
            start = place = place + 1
        else:
            place += 1


def words(code: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of each statement of assembly that declares nothing."""
    for match in STATEMENT_OF_ASSEMBLY.finditer(code, begin, end):
        start = stop = match.end() - len(match[0].lstrip())
        while code[stop] != "\n" or code.count("(", start, stop) != code.count(")", start, stop):
            stop += 1
        yield start, stop


def changes(code: str) -> Iterator[tuple[str, str, int, int, str]]:
    """(kind, where, begin, end, what stands there instead) of each change of a file."""
    for where, begin, end in functions(code):
        for a, b in statements(code, begin, end):
            if not DECLARATION.match(code, a):
                kept = "else " if code.startswith("else ", a) else ""
                yield "left out", where, a, b, kept + "{}"
        for block in assemblies(code, begin, end):
            for a, b in words(code, *block):
                yield "left out", where, a, b, ""
            for match in WORD.finditer(code, *block):
                yield "word", where, match.start(), match.end(), WORDS[match[0]]
        for match in COMPARISON.finditer(code, begin, end):
            yield "compared", where, match.start(1), match.end(1), COMPARED[match[1]]
        for match in ADDED.finditer(code, begin, end):
            yield "off by one", where, match.start(), match.end(), _one_more(match[0])
    for constant in CONSTANT.finditer(code):
        name, begin = constant[1], constant.start(2)
        literal = LAST_NUMBER.search(constant[2])
        if literal is not None:
            yield "off by one", name, begin + literal.start(), begin + literal.end(), _one_more(literal[0])
        for term in RULE.finditer(constant[2]):
            yield "rule", name, begin + term.start(), begin + term.end(), ""


def _one_more(literal: str) -> str:
    return (
        f"0x{int(literal, 16) + 1:0{len(literal) - 2}x}"
        if literal.startswith("0x")
        else str(int(literal) + 1)
    )


def units(code: str) -> list[tuple[str, int, int]]:
    """(form, begin, end) of what can be written twice, for a choice at run time."""
    found = []
    for _, begin, end in functions(code):
        found += [("{}", a, b) for a, b in statements(code, begin, end) if not DECLARATION.match(code, a)]
        for match in CONDITION.finditer(code, begin, end):
            found.append(("()", match.end() - 1, matching(code, match.end() - 1)))
        for block in assemblies(code, begin, end):
            found += [("switch", a, b) for a, b in words(code, *block)]
    return found


def mutants() -> list[Mutant]:
    """Every change of the kinds above, in the order of the sources; names occur once."""
    found = []
    names: Counter[str] = Counter()
    for file in FILES:
        text = source(file)
        code = without_comments(text)
        places = units(code)
        for kind, where, begin, end, instead in sorted(changes(code), key=lambda c: c[2:]):
            first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
            shown = f"{code[first:begin]}[{code[begin:end]} -> {instead}]{code[end:last]}"
            name = f"{file} {where}: {' '.join(shown.split())}"
            names[name] += 1
            name += f" ({names[name]})" if names[name] > 1 else ""
            line = text.count("\n", 0, begin) + 1
            around = [unit for unit in places if unit[1] <= begin and end <= unit[2]]
            unit = min(around, key=lambda unit: unit[2] - unit[1], default=None)
            found.append(Mutant(file, line, kind, name, Change(begin, end, instead), unit))
    return found


def source(file: str) -> str:
    """The text of a contract."""
    return str((COMPILER.CONTRACTS / file).read_text())


def changed(mutant: Mutant) -> dict[str, str]:
    """The file with the change."""
    return {mutant.file: _with(source(mutant.file), [mutant.change])}


def chosen_at_run_time(together: Sequence[Mutant]) -> dict[str, str]:
    """All files with a choice at each of these mutants, whose units do not overlap: the i-th is chosen by
    ``FIRST_COINBASE + i``."""
    found = {}
    for file in FILES:
        text = source(file)
        made = []
        for number, mutant in enumerate(together, FIRST_COINBASE):
            if mutant.file == file and mutant.unit is not None:
                form, begin, end = mutant.unit
                a, b, instead = mutant.change
                made.append(
                    Change(
                        begin,
                        end,
                        _choice(form, number, text[begin:a] + instead + text[b:end], text[begin:end]),
                    )
                )
        # whatever reads the coinbase is no longer pure
        found[file] = re.sub(r"\bpure\b(?! *\.)", "view", _with(text, made))
    return found


def _choice(form: str, number: int, mutated: str, original: str) -> str:
    if form == "switch":
        return f"switch coinbase() case {number} {{ {mutated}\n }} default {{ {original}\n }}"
    if form == "()":
        return f"(uint160(address(block.coinbase)) == {number} ? {mutated} : {original})"
    branch = "else " if original.startswith("else ") else ""
    mutated, original = mutated.removeprefix("else "), original.removeprefix("else ")
    choice = f"if (uint160(address(block.coinbase)) == {number}) {{ {mutated} }} else {{ {original} }}"
    return f"{branch}{{ {choice} }}"


def _with(text: str, made: Sequence[Change]) -> str:
    for begin, end, instead in sorted(made, reverse=True):
        text = text[:begin] + instead + text[end:]
    return text


def batches(chosen: Sequence[Mutant]) -> list[list[Mutant]]:
    """The mutants in groups whose units do not overlap; those without one by themselves, at the end."""
    found: list[list[Mutant]] = []
    for mutant in (mutant for mutant in chosen if mutant.unit is not None):
        group = next(
            (g for g in found if len(g) < TOGETHER and not any(_overlap(mutant, m) for m in g)), None
        )
        if group is None:
            found.append([mutant])
        else:
            group.append(mutant)
    return found + [[mutant] for mutant in chosen if mutant.unit is None]


def _overlap(one: Mutant, other: Mutant) -> bool:
    assert one.unit is not None
    assert other.unit is not None
    return one.file == other.file and one.unit[1] < other.unit[2] and other.unit[1] < one.unit[2]


def survivors() -> dict[str, str]:
    """The changes that no test notices, and why: survivors.txt has the reason, indented, under the names."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in SURVIVORS.read_text().splitlines():
        if line.startswith("    "):
            found |= {name: f"{found.get(name, '')} {line.strip()}".strip() for name in names}
        elif line.strip() and not line.startswith("#"):
            names = [line] if names and names[-1] in found else [*names, line]
    return found


# -- who notices -----------------------------------------------------------------------------------------


class Solc:
    """One compiler for all changes, asked line by line."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["node", "--input-type=module", "--eval", COMPILE_LINES],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def compiled(self, changed: dict[str, str]) -> dict[str, str] | None:
        """The contract's code where these files are changed; None when that is no program, or too large."""
        sources = COMPILER.sources(COMPILER.CONTRACTS) | changed
        parts = ("bytecode", "deployedBytecode")
        question = {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": COMPILER.SETTINGS
            | {"optimizer": OPTIMIZER}
            | {"outputSelection": {"Rollup.sol": {"Rollup": [f"evm.{part}.object" for part in parts]}}},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        made = json.loads(self._process.stdout.readline())
        if any(error["severity"] == "error" for error in made.get("errors", [])):
            return None
        code = made["contracts"]["Rollup.sol"]["Rollup"]["evm"]
        if len(code["deployedBytecode"]["object"]) > 2 * COMPILER.SIZE_LIMIT:
            return None
        return {part: "0x" + code[part]["object"] for part in parts}

    def programs(self, group: list[Mutant]) -> Iterator[tuple[Mutant, int, dict[str, str] | None]]:
        """Of each mutant of a group the coinbase that chooses it, and the code."""
        code = self.compiled(chosen_at_run_time(group) if len(group) > 1 else changed(group[0]))
        if code is not None or len(group) == 1:
            for number, mutant in enumerate(group, FIRST_COINBASE):
                yield mutant, number, code
        else:
            for half in (group[::2], group[1::2]):
                yield from self.programs(half)

    def close(self) -> None:
        """End the compiler."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


ENDLESS = "the limit of time or memory"


def _name(failed: Any) -> str:
    return ENDLESS if failed is ENDLESS else str(failed.nodeid.split("/")[-1])


class Runner:
    """A plugin of pytest that runs the collected tests once for each mutant, in a fork, until one fails."""

    def __init__(self, chosen: list[Mutant], solc: Solc, folder: Path, explained: dict[str, str]) -> None:
        self._chosen, self._solc, self._folder, self._explained = chosen, solc, folder, explained
        self._artifact = folder / "zkrollup" / "l1" / "contracts" / "Rollup.json"
        self._said = folder / "said"
        self.counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self.unnoticed: list[str] = []

    def pytest_runtestloop(self, session: Any) -> bool:
        """Instead of running the tests once."""
        items = list(session.items)
        unchanged = self._solc.compiled({})
        assert unchanged is not None, "the contract does not compile"
        failed = self._first_failure(items, unchanged, 0)
        assert failed is None, f"a test fails without any change: {failed}"
        for group in batches(self._chosen):
            for mutant, number, code in self._solc.programs(group):
                outcome = "is no program"
                if code is not None:
                    failed = self._first_failure(items, code, number)
                    outcome = "SURVIVES" if failed is None else f"noticed by {_name(failed)}"
                    if failed in items:
                        items.remove(failed)
                        items.insert(0, failed)
                    elif failed is None and self._solc.compiled(changed(mutant)) == unchanged:
                        outcome = "is the same code"
                    elif failed is None and mutant.name in self._explained:
                        outcome = "changes nothing"
                self.counts[mutant.kind][outcome.split(" by ")[0]] += 1
                print(f"{mutant.line}: {mutant.kind}: {mutant.name}: {outcome}", flush=True)
                if outcome == "SURVIVES":
                    self.unnoticed.append(mutant.name)
        return True

    def _first_failure(self, items: list[Any], code: dict[str, str], coinbase: int) -> Any:
        """The first test that fails with this code in blocks of this coinbase, None when all pass; ENDLESS
        where the tests had to be stopped."""
        self._artifact.write_text(json.dumps(json.loads(self._artifact.read_text()) | code))
        self._said.write_text("")
        child = os.fork()
        if child == 0:
            self._run(items, coinbase)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return ENDLESS
        said = self._said.read_text()
        assert (os.WEXITSTATUS(status) == 0) == (said == ""), "the tests broke off"
        return items[int(said)] if said else None

    def _run(self, items: list[Any], coinbase: int) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        importlib.import_module("zkrollup.l1.evm.artifacts").load_artifact.cache_clear()
        pyrevm: Any = importlib.import_module("pyrevm")
        block_env = pyrevm.BlockEnv
        pyrevm.BlockEnv = lambda **members: block_env(coinbase=f"0x{coinbase:040x}", **members)
        self._current = -1
        for place, item in enumerate(items):
            self._current = place
            following = items[place + 1] if place + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        os._exit(0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Ends the fork at the first failure."""
        if report.failed:
            self._said.write_text(str(self._current))
            os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solc", type=Path, help="folder with node_modules")
    parser.add_argument("--part", default="1/1", help="I/N: only every N-th change, from the I-th on")
    parser.add_argument(
        "--only", metavar="REGEX", default="", help="only changes in whose name this is found"
    )
    parser.add_argument("--list", action="store_true", help="name the changes and stop")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    every = mutants()
    chosen = [mutant for mutant in every if re.search(options.only, mutant.name)][part - 1 :: parts]
    if options.list:
        print("\n".join(f"{mutant.line}: {mutant.kind}: {mutant.name}" for mutant in chosen))
        return 0
    if options.solc is None:
        parser.error("--solc: which folder has node_modules with solc?")
    explained = survivors()
    wrong = [f"{name}: no such change" for name in explained.keys() - {mutant.name for mutant in every}]
    solc = Solc(options.solc.resolve())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        copytree(ROOT, folder, ignore=ignore_patterns(".git", "build", ".hypothesis", ".*_cache"))
        sys.path.insert(0, str(folder))
        os.chdir(folder)
        runner = Runner(chosen, solc, folder, explained)
        said = [
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-p",
            "no:faulthandler",
            "-k",
            "not py_evm",
            *TESTS,
        ]
        answer = importlib.import_module("pytest").main(said, plugins=[runner])
    solc.close()
    for kind, count in runner.counts.items():
        print(
            f"{kind}: {count.total()}: " + ", ".join(f"{n} {outcome}" for outcome, n in count.most_common())
        )
    wrong += [f"{name}: nobody notices" for name in runner.unnoticed]
    print("\n".join(wrong))
    return int(bool(wrong) or answer != 0)


if __name__ == "__main__":
    sys.exit(main())
