"""Files that commands write: nothing that was there is lost, and nothing half written stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from zkrollup.cli import main
from zkrollup.cli.files import write_text

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"


def run(*words: object, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == code


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("r1cs", "wtns", "zkey"):
        shutil.copy(FILES / f"chain.{kind}", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "prove chain.zkey chain.wtns chain.zkey public.json",
        "prove chain.zkey chain.wtns proof.json ./chain.wtns",
        "setup chain.r1cs chain.r1cs --one-party",
        "contribute chain.zkey chain.zkey",
        "ptau prepare chain.zkey chain.zkey",
        "export vkey chain.zkey --out chain.zkey",
        "export solidity chain.zkey --out chain.zkey",
        "check chain.r1cs chain.wtns --html chain.wtns",
        "audit chain.r1cs --write-witness chain.r1cs",
        "audit chain.r1cs --wtns chain.wtns --write-witness chain.wtns",
        "profile chain.r1cs --write chain.r1cs",
        "demo --slots 1 --depth 1 --txs chain.r1cs --save-txs chain.r1cs",
    ],
)
def test_output__that_is_read_too_is_refused_and_stays(
    chain: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    before = {path.name: path.read_bytes() for path in chain.iterdir()}
    run(*words.split(), code=2)
    assert "is read by this command and would be overwritten" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in chain.iterdir()} == before


def test_prove__refuses_one_file_for_proof_and_public_inputs(
    chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("prove", "chain.zkey", "chain.wtns", "out.json", "out.json", code=2)
    assert "out.json: two results would go to this one file" in capsys.readouterr().err
    assert not (chain / "out.json").exists()


@pytest.mark.parametrize(
    "words",
    [
        "prove chain.zkey chain.wtns . public.json",
        "setup chain.r1cs . --one-party",
        "ptau new 3 .",
        "export vkey chain.zkey --out .",
        "check chain.r1cs chain.wtns --html .",
        "audit chain.r1cs --write-witness .",
        "profile chain.r1cs --folded .",
        "demo --slots 1 --save-txs .",
        "export r1cs out.r1cs --sym .",
        "bench verify --runs 1 --html .",
    ],
)
def test_output__that_is_a_folder_is_said_before_the_work(
    chain: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    run(*words.split(), code=2)
    said = capsys.readouterr()
    assert said.err == "zkrollup: .: is a folder, expected a file to write\n"
    assert said.out == ""


def test_contribute__refuses_a_name_that_the_record_would_cut(
    chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("contribute", "chain.zkey", "next.zkey", "--name", "n" * 65, code=2)
    assert "--name: 65 letters, expected at most 64" in capsys.readouterr().err
    assert not (chain / "next.zkey").exists()


def test_export__to_standard_output_leaves_the_device(chain: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("export", "vkey", "chain.zkey", code=0)
    plain = capfd.readouterr().out
    if not os.path.exists("/dev/stdout"):
        pytest.skip("no /dev/stdout")
    run("export", "vkey", "chain.zkey", "--out", "/dev/stdout", code=0)
    assert capfd.readouterr().out == plain


def test_write_text__leaves_links_and_what_was_there_when_it_fails(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    write_text(link, "one")
    assert link.is_symlink()
    assert real.read_text() == "one"
    with pytest.raises(UnicodeEncodeError):
        write_text(link, "two \udcff")
    assert real.read_text() == "one"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_write_text__names_the_file_of_a_full_disk() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_text(Path("/dev/full"), "text")
    assert Path("/dev/full").is_char_device()
