import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson.shuffle import shuffle_words
from tests.lesson.naive_attention import naive_layer
from tests.lesson.predictions.inputs import prediction_inputs, question_and_answer


@given(st.data())
def test_a_head_keeps_its_weight_if_shuffling_changes_it_by_a_tenth_at_most(models, data):
    inputs = data.draw(prediction_inputs(models, ["headwise-h8"]))
    _, answer = question_and_answer("keeps_previous", inputs)
    shuffled = shuffle_words(inputs.sentence, inputs.model).sentence
    assert sorted(w.text for w in shuffled.words) == sorted(w.text for w in inputs.sentence.words)
    means = []
    for sentence in (inputs.sentence, shuffled):
        maps, n = naive_layer(inputs.model, sentence, inputs.layer).weights, len(sentence.tokens)
        means.append([sum(m[i, i - 1] for i in range(1, n)) / max(n - 1, 1) for m in maps])
    before, after = means
    top = int(answer.values["top"])
    assert before[top] == pytest.approx(max(before), abs=1e-4)
    assert float(answer.values["before"]) == pytest.approx(before[top], abs=0.006)
    assert float(answer.values["after"]) == pytest.approx(after[top], abs=0.006)
    change = abs(after[top] - before[top])
    if abs(change - 0.1) > 1e-4:
        assert answer.right == ("yes" if change < 0.1 else "no",)
