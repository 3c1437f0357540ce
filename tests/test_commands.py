"""`python -m app checkpoint …`; what `add` does is in tests/models/checkpoints/test_hub.py."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios

import pytest

from app import __main__ as commands
from app.models.checkpoints.loader import ARCHITECTURES, MAX_TOKENS
from tests.models.checkpoints.tiny import save
from tests.models.trees import SAMPLE
from tests.test_package import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save("bert", tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="module")
def treebank(tmp_path_factory):
    file = tmp_path_factory.mktemp("treebank") / "our-own.conllu"
    file.write_text(f"{SAMPLE}\n" * 3, encoding="utf-8")
    return file


@pytest.fixture
def run(monkeypatch):
    def command(*words):
        monkeypatch.setattr(sys, "argv", ["app", "checkpoint", *map(str, words)])
        return commands.main()

    return command


def test_a_checkpoint_is_told_in_a_line(run, folder, tmp_path, capsys):
    save("gpt2", tmp_path / "causal")
    assert run("check", folder, tmp_path) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("tiny: BERT, 3 layers × 4 heads, width 32, ")
    assert first.endswith(" parameters, guesses hidden words; heads not measured")
    assert second.startswith("causal: GPT-2, 3 layers × 2 heads, width 32, ")
    assert "guesses the next word" in second


def test_one_that_is_refused_says_why_and_the_command_fails(run, folder, tmp_path, capsys):
    (tmp_path / "headwise-h4").mkdir()
    assert run("check", folder, tmp_path / "headwise-h4", tmp_path / "nowhere") == 1
    told = capsys.readouterr()
    assert told.out.startswith("tiny: BERT")
    assert "config.json is missing" in told.err
    assert "nowhere: there is no such folder" in told.err


def test_a_measured_checkpoint_is_told_to_be_measured(run, tmp_path, treebank, capsys):
    folder = save("bert", tmp_path / "measured")
    assert run("measure", folder, "--treebank", treebank, "--twins", 1, "--ablations", 2) == 0
    assert "measured: 12 heads measured; relations found: none" in capsys.readouterr().out
    assert run("check", folder) == 0
    assert "heads measured on our-own" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--twins", 0], ["--sentences", 1], ["--ablations", -1]])
def test_too_small_numbers_are_refused(run, folder, treebank, words, capsys):
    with pytest.raises(SystemExit):
        run("measure", folder, "--treebank", treebank, *words)
    assert "is less than" in capsys.readouterr().err


def test_mistakes_are_told_in_a_sentence(run, folder, tmp_path, capsys):
    assert run("measure", folder, "--treebank", tmp_path / "none.conllu") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_who_is_interrupted_is_told_that_nothing_is_half_done(run, folder, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "measure", interrupted)
    assert run("measure", folder, "--treebank", "any.conllu") == 130
    assert "Stopped" in capsys.readouterr().err


def test_an_interrupted_measurement_leaves_no_file(treebank, tmp_path):
    folder = save("bert", tmp_path / "stopped")
    command = [sys.executable, "-m", "app", "checkpoint", "measure", folder, "--treebank", treebank]
    with subprocess.Popen(
        [*command, "--twins", "100000"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stderr.readline() == "untrained twin 1 of 100000\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "Stopped. No file was left half written."
    assert "Traceback" not in told
    assert not [*folder.glob("heads*")]


def test_on_a_terminal_a_bar_shows_how_far_it_has_come(folder, treebank, tmp_path):
    own, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    shown = save("bert", tmp_path / "shown")
    command = [sys.executable, "-m", "app", "checkpoint", "measure", shown]
    subprocess.run(
        [*command, "--treebank", treebank, "--twins", "1"], cwd=ROOT, stderr=terminal, check=True
    )
    os.close(terminal)
    shown = os.read(own, 100_000).decode()
    os.close(own)
    # (1 + 1 twin) × 6 sentences; 3 that are reported × (1 + 8 heads)
    assert "/51 " in shown
    assert "51/51" in shown


def test_the_guide_names_every_family_and_every_option(capsys):
    guide = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    for family in ARCHITECTURES:
        assert family.title in guide
        assert all(f"`{name}`" in guide for name in family.model_types)
    assert f"At most {MAX_TOKENS} tokens" in guide
    for command in ("add", "measure"):
        with pytest.raises(SystemExit):
            commands.build_parser().parse_args(["checkpoint", command, "--help"])
        for option in set(re.findall("--[a-z]+", capsys.readouterr().out)) - {"--help"}:
            assert option in guide
