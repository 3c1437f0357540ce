"""Values of placeholders in prose, and what is left out before the prediction."""

from app.lesson.prose_values import HIDDEN, PROSE_PLACEHOLDERS, ProseValues
from tests.lesson.labs.states import make_state


def test_only_what_the_word_reads_most_is_left_out_if_it_answers_the_question(models):
    state = make_state(models)
    hidden, shown = ProseValues(state, hides_top=True), ProseValues(state)
    changed = {name for name in PROSE_PLACEHOLDERS if hidden[name] != shown[name]}
    assert changed == {"top", "weight"}
    assert {hidden[name] for name in changed} == {HIDDEN}
