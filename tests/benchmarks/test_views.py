"""What the benchmarks ask for is what they say they ask for."""

from app.models import load_builtin_models
from benchmarks.views import STEPS, WORDS, fragment_request, sentence, step_request
from tests.pages import LESSON, STEP_PATHS


def test_every_sentence_is_a_new_one_of_nine_tokens() -> None:
    tokenizer = load_builtin_models()["headwise-h4"].tokenizer
    sentences = [sentence(number) for number in range(len(WORDS) ** 2)]
    assert len(set(sentences)) == len(sentences)
    assert {len(tokenizer.sentence(each).tokens) for each in sentences} == {9}


def test_requests_are_complete() -> None:
    assert fragment_request(STEPS[0], 0).startswith(
        f"GET {LESSON}/why-one-head-is-not-enough?".encode()
    )
    assert b"\r\nHX-Request-Type: partial\r\n" in fragment_request(STEPS[0], 0)
    assert step_request(STEPS[-1]).endswith(b"\r\n\r\n")
    assert [path for path in STEP_PATHS if path.startswith(f"{LESSON}/")] == STEPS
