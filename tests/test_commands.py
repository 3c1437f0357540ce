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
from tests.evaluation.trees import SAMPLE_CONLLU
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.test_package import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_checkpoint("bert", tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="module")
def treebank(tmp_path_factory):
    file = tmp_path_factory.mktemp("treebank") / "our-own.conllu"
    file.write_text(f"{SAMPLE_CONLLU}\n" * 3, encoding="utf-8")
    return file


@pytest.fixture
def run_command(monkeypatch):
    def command(*words):
        monkeypatch.setattr(sys, "argv", ["app", "checkpoint", *map(str, words)])
        return commands.main()

    return command


def test_a_checkpoint_is_summarised_in_one_line(run_command, folder, tmp_path, capsys):
    save_checkpoint("gpt2", tmp_path / "causal")
    assert run_command("check", folder, tmp_path) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("tiny: BERT, 3 layers × 4 heads, width 32, ")
    assert first.endswith(" parameters, guesses hidden words; heads not measured")
    assert second.startswith("causal: GPT-2, 3 layers × 2 heads, width 32, ")
    assert "guesses the next word" in second


def test_a_refused_checkpoint_is_reported_and_the_command_fails(
    run_command, folder, tmp_path, capsys
):
    (tmp_path / "headwise-h4").mkdir()
    assert run_command("check", folder, tmp_path / "headwise-h4", tmp_path / "nowhere") == 1
    output = capsys.readouterr()
    assert output.out.startswith("tiny: BERT")
    assert "config.json is missing" in output.err
    assert "nowhere: there is no such folder" in output.err


def test_a_measured_checkpoint_is_reported_as_measured(run_command, tmp_path, treebank, capsys):
    folder = save_checkpoint("bert", tmp_path / "measured")
    assert (
        run_command("measure", folder, "--treebank", treebank, "--twins", 1, "--ablations", 2) == 0
    )
    assert "measured: 12 heads measured; relations found: none" in capsys.readouterr().out
    assert run_command("check", folder) == 0
    assert "heads measured on our-own" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--twins", 0], ["--sentences", 1], ["--ablations", -1]])
def test_too_small_numbers_are_refused(run_command, folder, treebank, arguments, capsys):
    with pytest.raises(SystemExit):
        run_command("measure", folder, "--treebank", treebank, *arguments)
    assert "is less than" in capsys.readouterr().err


def test_errors_are_reported_in_one_line(run_command, folder, tmp_path, capsys):
    assert run_command("measure", folder, "--treebank", tmp_path / "none.conllu") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interruption_is_reported(run_command, folder, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "measure_checkpoint", interrupted)
    assert run_command("measure", folder, "--treebank", "any.conllu") == 130
    assert "Stopped" in capsys.readouterr().err


def test_an_interrupted_measurement_leaves_no_file(treebank, tmp_path):
    folder = save_checkpoint("bert", tmp_path / "stopped")
    command = [sys.executable, "-m", "app", "checkpoint", "measure", folder, "--treebank", treebank]
    with subprocess.Popen(
        [*command, "--twins", "100000"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stderr.readline() == "untrained model 1 of 100000\n"
        process.send_signal(signal.SIGINT)
        _, output = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output.splitlines()[-1] == "Stopped. No incomplete file was left."
    assert "Traceback" not in output
    assert not [*folder.glob("heads*")]


def test_on_a_terminal_a_bar_shows_the_progress(folder, treebank, tmp_path):
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    shown = save_checkpoint("bert", tmp_path / "shown")
    command = [sys.executable, "-m", "app", "checkpoint", "measure", shown]
    subprocess.run(
        [*command, "--treebank", treebank, "--twins", "1"], cwd=ROOT, stderr=terminal, check=True
    )
    os.close(terminal)
    output = os.read(controller, 100_000).decode()
    os.close(controller)
    # 6 sentences × 2 models; 3 reported sentences × (1 baseline + 12 heads)
    assert "/51 " in output
    assert "51/51" in output


def test_the_guide_names_every_architecture_and_every_option(capsys):
    guide = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    for architecture in ARCHITECTURES:
        assert architecture.title in guide
        assert all(f"`{name}`" in guide for name in architecture.model_types)
    assert f"at most {MAX_TOKENS} tokens" in guide
    for command in ("add", "measure"):
        with pytest.raises(SystemExit):
            commands.build_parser().parse_args(["checkpoint", command, "--help"])
        for option in set(re.findall("--[a-z]+", capsys.readouterr().out)) - {"--help"}:
            assert option in guide
