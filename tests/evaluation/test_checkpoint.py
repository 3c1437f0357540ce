import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.attention import Intervention
from app.evaluation.ablation import paired_difference, token_losses
from app.evaluation.checkpoint import (
    NotMeasurableError,
    Plan,
    dev_test_split,
    evenly_spaced,
    measure_checkpoint,
    targets_of,
)
from app.evaluation.head_statistics import tokenise_trees
from app.evaluation.report import read_evidence
from app.models.checkpoints import read_checkpoint
from tests.evaluation.trees import SAMPLE_CONLLU
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


@pytest.fixture
def treebank(tmp_path):
    file = tmp_path / "our-own.conllu"
    file.write_text(4 * f"{SAMPLE_CONLLU}\n", encoding="utf-8")
    return file


@pytest.fixture
def encoder(tmp_path):
    return save_checkpoint("bert", tmp_path / "encoder")


@pytest.fixture
def decoder(tmp_path):
    return save_checkpoint("gpt2", tmp_path / "decoder")


@pytest.fixture
def plan(treebank):
    return Plan((treebank,), n_untrained=2, n_ablation_sentences=3)


def test_evidence_is_read_with_its_checkpoint(encoder, plan):
    evidence = measure_checkpoint(encoder, plan)
    model = read_checkpoint(encoder)
    assert read_evidence(model) == evidence
    assert evidence.weights_sha256 == model.weights_sha256
    assert [(head.layer, head.head) for head in evidence.heads] == [
        (layer, head) for layer in range(3) for head in range(4)
    ]
    assert all(len(baselines.untrained_rates) == 2 for baselines in evidence.baselines)
    assert not [*encoder.glob("*.partial")]


def test_measuring_is_deterministic(encoder, plan):
    assert measure_checkpoint(encoder, plan) == measure_checkpoint(encoder, plan)


def test_the_record_names_treebank_and_command_but_no_path(encoder, plan, tmp_path):
    evidence = measure_checkpoint(encoder, plan)
    assert (evidence.treebank, evidence.licence) == ("our-own", "")
    assert evidence.command == (
        "python -m app checkpoint measure encoder --treebank our-own.conllu --twins 2 --ablations 3"
    )
    assert str(tmp_path) not in (encoder / "heads.json").read_text()


def test_a_treebank_can_be_given_its_name_and_licence(encoder, treebank):
    named = Plan(
        (treebank,), n_untrained=1, n_ablation_sentences=0, treebank_name="Our Own", licence="CC0"
    )
    evidence = measure_checkpoint(encoder, named)
    assert (evidence.treebank, evidence.licence) == ("Our Own", "CC0")
    assert evidence.command.endswith("--ablations 0 --name 'Our Own' --licence CC0")


def test_of_one_file_every_other_sentence_is_reported_of_two_the_second(treebank, plan):
    dev, test = dev_test_split(plan)
    assert {tree.words[0] for tree in dev} == {"The"}
    assert {tree.words[0] for tree in test} == {"They"}
    dev, test = dev_test_split(Plan((treebank, treebank), max_sentences=3))
    assert [len(dev), len(test)] == [3, 3]


def test_fewer_sentences_are_taken_from_beginning_to_end():
    assert evenly_spaced(range(100), 4) == [0, 25, 50, 75]
    assert evenly_spaced(range(3), 4) == evenly_spaced(range(3), None) == [0, 1, 2]


def test_sentences_that_are_too_long_are_counted(encoder, treebank, plan):
    with treebank.open("a", encoding="utf-8") as file:
        for _ in range(2):
            rows = (f"{i}\tcat\tcat\tNOUN\t_\t_\t0\troot\t_\t_\n" for i in range(1, 70))
            file.write("".join(rows) + "\n")
    evidence = measure_checkpoint(encoder, plan)
    assert (evidence.sentences, evidence.left_out) == (4, 1)


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_a_heads_ablation_is_the_change_of_loss_on_the_reported_sentences(kind, request, plan):
    folder = request.getfixturevalue(kind)
    evidence = measure_checkpoint(folder, plan)
    model = read_checkpoint(folder)
    test, _ = tokenise_trees(dev_test_split(plan)[1], model.tokenizer, model.card.max_tokens)
    targets = targets_of(model, evenly_spaced(test, 3))
    off = Intervention(ablated_heads=frozenset({(1, 1)}))
    ablated_losses, baseline_losses = (
        token_losses(model.transformer, targets, each) for each in (off, Intervention())
    )
    head = next(head for head in evidence.heads if (head.layer, head.head) == (1, 1))
    assert (head.ablation, head.ablation_half) == paired_difference(ablated_losses, baseline_losses)
    assert head.ablation_half > 0
    assert evidence.ablation_text.startswith("3 of the reported sentences, ")


def test_masked_targets_are_never_special_tokens(encoder, plan):
    model = read_checkpoint(encoder)
    test, _ = tokenise_trees(dev_test_split(plan)[1], model.tokenizer, model.card.max_tokens)
    for target in targets_of(model, test):
        assert 0 < target.positions.min() <= target.positions.max() < len(target.input_ids) - 1
        assert np.all(target.input_ids[target.positions] == model.tokenizer.mask_token_id)


def test_a_model_without_an_lm_head_has_no_ablations(encoder, plan):
    tensors = load_file(encoder / "model.safetensors")
    body = {name: each for name, each in tensors.items() if not name.startswith("cls.")}
    save_file(body, encoder / "model.safetensors", {"format": "pt"})
    evidence = measure_checkpoint(encoder, plan)
    assert {head.ablation for head in evidence.heads} == {None}
    assert evidence.ablation_text == ""


def test_a_model_whose_weights_have_changed_can_be_measured_anew(encoder, plan):
    before = measure_checkpoint(encoder, plan)
    tensors = load_file(encoder / "model.safetensors")
    tensors["bert.embeddings.word_embeddings.weight"] *= 2
    save_file(tensors, encoder / "model.safetensors", {"format": "pt"})
    after = measure_checkpoint(encoder, plan)
    assert before.weights_sha256 != after.weights_sha256
    assert read_evidence(read_checkpoint(encoder)) == after


def test_only_models_with_special_tokens_have_a_weight_on_them(encoder, decoder, plan):
    assert all(head.special > 0 for head in measure_checkpoint(encoder, plan).heads)
    assert {head.special for head in measure_checkpoint(decoder, plan).heads} == {None}


def test_unusable_treebanks_are_named(encoder, treebank, tmp_path):
    def refused(*files):
        with pytest.raises(NotMeasurableError) as caught:
            measure_checkpoint(encoder, Plan(files))
        assert not (encoder / "heads.json").exists()
        return str(caught.value)

    assert "nowhere.conllu cannot be read: No such file" in refused(tmp_path / "nowhere.conllu")
    assert "one file or two" in refused(treebank, treebank, treebank)
    (tmp_path / "prose").write_text("Birds sing.\n")
    assert "prose:1: 1 columns instead of 10. Treebanks must be in CoNLL-U format" in refused(
        tmp_path / "prose"
    )
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "is not text in UTF-8" in refused(tmp_path / "bytes")
    (tmp_path / "empty").write_text("")
    assert (
        "empty has too few sentences that encoder can read: 0 to choose heads and 0 to report"
        in refused(tmp_path / "empty")
    )


def test_a_folder_that_cannot_be_written_is_named(encoder, plan):
    (encoder / "heads.json").mkdir()
    with pytest.raises(NotMeasurableError, match=r"heads\.json cannot be written"):
        measure_checkpoint(encoder, plan)
