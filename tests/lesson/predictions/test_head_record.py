"""Which record a head has, computed a second time from the file of records and by loops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.registry import EvaluatedRegistry
from app.evaluation.report import RELATIONS
from app.lesson.predictions.head_record import label_choices
from app.models.tokenizer import is_punctuation
from tests.lesson.naive_attention import naive_layer
from tests.lesson.naive_records import (
    head_of,
    naive_places,
    naive_relations,
    read_record,
    wilson,
)
from tests.lesson.predictions.inputs import (
    make_inputs,
    prediction_inputs,
    question_and_answer,
    reasons_of,
)

FOLLOWS_PLACE = {"previous", "next", "itself", "first"}
TROPHY = "The trophy does not fit in the suitcase because it is too big"


def naive_link(inputs, record):
    """Return (weight, head, word) of the largest weight of each head, the largest first."""
    sentence, maps = inputs.sentence, naive_layer(inputs.model, inputs.sentence, inputs.layer)
    rows = [i for i, token in enumerate(sentence.tokens) if token.word == inputs.word]
    links = []
    for head in record["heads"]:
        if head["layer"] != inputs.layer or FOLLOWS_PLACE & set(naive_places(record, head)):
            continue
        for word in sentence.words:
            if word.index == inputs.word or all(is_punctuation(mark) for mark in word.text):
                continue
            weight = 0.0
            for row in rows:
                for column, token in enumerate(sentence.tokens):
                    if token.word == word.index:
                        weight += maps.weights[head["head"], row, column] / len(rows)
            links.append((weight, head["head"], word.index))
    return sorted(links, reverse=True)


@given(st.data())
def test_the_answer_is_what_the_record_of_the_strongest_link_says(models, data):
    names = [f"headwise-h{n_heads}" for n_heads in (1, 2, 4, 8)]
    inputs = data.draw(prediction_inputs(models, names))
    record = read_record(inputs.model.card.id)
    links = naive_link(inputs, record)
    question, answer = question_and_answer("head_record", inputs)
    if not links:
        assert question.unanswerable in ("only_places", "one_word")
        return
    asked = int(question.values["asked_head"])
    read = question.values["read_word"].split(" (")[0]
    near_best = [link for link in links if link[0] >= links[0][0] - 1e-5]
    assert any(
        asked == head and inputs.sentence.words[word].text == read for _, head, word in near_best
    )
    assert question.values["sentences"] == f"{record['sentences']:,}"
    head = head_of(record, inputs.layer, asked)
    found = [label for _, label, _, _, is_found in naive_relations(record, head) if is_found]
    labels = {choice.id: choice.values["value"] for choice in question.choices}
    assert labels["no-clear-role"] == "no clear role"
    expected = {id for id, label in labels.items() if label in found} or {"no-clear-role"}
    assert set(answer.right) == expected
    assert 3 <= len(labels) <= 4


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("name", ["headwise-h4", "headwise-h8"])
def test_reasons_compare_the_head_with_the_better_baseline(models, name, layer):
    record = read_record(name)
    seen = set()
    for word in range(13):
        inputs = make_inputs(models, name, TROPHY, word, layer=layer)
        question, answer = question_and_answer("head_record", inputs)
        head = head_of(record, layer, int(question.values["asked_head"]))
        relations = naive_relations(record, head)
        found = [each for each in relations if each[4]]
        _, label, finding, baseline, _ = (found or relations)[0]
        hits, n = finding["test"]["hits"], finding["test"]["n"]
        low, high = wilson(hits, n)
        reasons = reasons_of(answer)
        seen |= set(reasons)
        assert reasons.pop("found" if found else "not_found") == {
            "label": label,
            "rate": f"{100 * hits / n:.0f}",
            "low": f"{100 * low:.0f}",
            "high": f"{100 * high:.0f}",
            "cases": f"{n:,}",
        }
        offset_rate = baseline["offset_share"]["hits"] / baseline["offset_share"]["n"]
        if offset_rate >= max(baseline["twins"]):
            distance = str(abs(baseline["offset"]))
            earlier_or_later = "earlier_baseline" if baseline["offset"] < 0 else "later_baseline"
            expected = {"baseline": f"{100 * offset_rate:.0f}", "distance": distance}
            assert reasons.pop(earlier_or_later) == expected
        else:
            expected = {"baseline": f"{100 * max(baseline['twins']):.0f}"}
            assert reasons.pop("untrained_baseline") == expected
        others = ", ".join(each[1] for each in found[1:])
        assert reasons == ({"also_found": {"others": others}} if others else {})
    assert seen & {"found", "not_found"}


def test_the_head_and_the_cell_of_the_link_are_marked(models):
    inputs = make_inputs(models, "headwise-h8", TROPHY, 9)
    question, answer = question_and_answer("head_record", inputs)
    assert question.values == {
        "asked_head": "5",
        "read_word": "suitcase",
        "weight": "0.61",
        "sentences": "1,967",
    }
    head, cell = answer.marks
    assert (head.kind, head.head, head.row) == ("head", 5, None)
    tokens = inputs.sentence.tokens
    assert (cell.kind, cell.head) == ("cell", 5)
    assert (tokens[cell.row].word, tokens[cell.column].word) == (9, 7)


def test_the_choices_of_a_layer_are_the_same_for_every_word(models):
    """They would give the answer away if they depended on the head."""
    for layer in (0, 1):
        choices = {
            tuple(
                question_and_answer(
                    "head_record", make_inputs(models, "headwise-h8", TROPHY, word, layer=layer)
                )[0].choice_ids
            )
            for word in range(13)
        }
        assert len(choices) == 1


@pytest.mark.parametrize(
    ("model", "text", "word", "cause"),
    [
        ("headwise-h8-random", "The cat sat", 1, "not_measured"),
        ("headwise-h1", "The cat sat", 1, "only_places"),
        ("headwise-h2", "The cat sat", 1, "only_places"),
        ("headwise-h8", "cat", 0, "one_word"),
        ("headwise-h8", "cat , .", 0, "one_word"),
    ],
)
def test_a_question_that_makes_no_sense_says_why(models, model, text, word, cause):
    question, answer = question_and_answer("head_record", make_inputs(models, model, text, word))
    assert (question.unanswerable, answer) == (cause, None)


def test_a_checkpoint_that_was_not_measured_has_no_question(checkpoint_models):
    inputs = make_inputs(checkpoint_models, "gpt2", "The cat sat", 0)
    assert question_and_answer("head_record", inputs)[0].unanswerable == "not_measured"


class TestMeasuredCheckpoints:
    """Checkpoints with records that are borrowed from one of Headwise's models."""

    @pytest.fixture
    def measured(self, checkpoint_models, models):
        record = models.evidence_of(models["headwise-h8"])
        evidence = {}
        for name in ("bert", "gpt2"):
            n_heads = checkpoint_models[name].card.n_heads
            heads = tuple(head for head in record.heads if head.head < n_heads)
            evidence[name] = record.model_copy(update={"heads": heads})
        return EvaluatedRegistry(checkpoint_models, evidence)

    def test_a_special_token_asks_nothing(self, measured):
        for word in (3, 4):
            inputs = make_inputs(measured, "bert", "The cat sat", word)
            assert inputs.sentence.words[word].is_special
            assert question_and_answer("head_record", inputs)[0].unanswerable == "not_a_word"

    def test_special_tokens_are_not_read(self, measured):
        for word in range(3):
            inputs = make_inputs(measured, "bert", "The cat sat", word)
            question, _ = question_and_answer("head_record", inputs)
            assert question.values["read_word"] in {"The", "cat", "sat"}

    def test_the_first_word_of_a_causal_model_has_nothing_to_read(self, measured):
        inputs = make_inputs(measured, "gpt2", "The cat sat", 0)
        assert question_and_answer("head_record", inputs)[0].unanswerable == "reads_only_itself"
        inputs = make_inputs(measured, "gpt2", "The cat sat", 1)
        assert question_and_answer("head_record", inputs)[0].values["read_word"] == "The"


def test_a_repeated_word_is_named_with_its_place(models):
    inputs = make_inputs(models, "headwise-h8", "cat cat cat", 1)
    question, _ = question_and_answer("head_record", inputs)
    assert question.values["read_word"] in ("cat (1)", "cat (3)")


@pytest.fixture
def many_labels(models):
    """Evidence in which eight heads of one layer have eight different relations."""
    record = models.evidence_of(models["headwise-h8"])
    relations = [f"{a} → {b}" for a, b in list(RELATIONS.values())[:8]]
    labels = {(0, head): (label,) for head, label in enumerate(relations)}
    labels |= {(1, head): ("no clear role",) for head in range(8)}
    copy = record.model_copy()
    copy.__dict__["_labels"] = labels
    return copy


def test_many_labels_are_divided_so_that_a_choice_fits_several_heads(many_labels):
    choices = {head: label_choices(many_labels, 0, head) for head in range(8)}
    for head, labels in choices.items():
        own = many_labels.labels_of(0, head)[0]
        assert own in labels
        assert labels[-1] == "no clear role"
        assert len(labels) in (3, 4)
        sharing = [other for other in range(8) if choices[other] == labels]
        assert [many_labels.labels_of(0, other)[0] for other in sharing] == labels[:-1]


def test_few_labels_are_filled_with_ones_that_no_head_of_the_layer_has(models):
    evidence = models.evidence_of(models["headwise-h8"])
    labels = label_choices(evidence, 1, 0)
    assert len(labels) == 4
    of_layer = {label for head in range(8) for label in evidence.labels_of(1, head)}
    assert set(labels) & of_layer == {"copula → predicate", "no clear role"}
