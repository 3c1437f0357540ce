"""Sentences at the limits of a checkpoint's tokenizer."""

import pytest

from tests.web.checkpoints.requests import STEP_WITH_LAB, drawn_maps, step_path
from tests.web.conftest import CHECKPOINT_KINDS
from tests.web.html import parse_html

UNUSUAL_TEXTS = [
    "<script>alert(1)</script>",
    "👩‍👩‍👧 is over",
    "מה שלומך",
    "a [MASK] b <mask>",
    "[CLS] [SEP]",
    "</s><s> <|endoftext|>",
    "a  b   c",
    "\u0301",
    "x" * 300,
    "it’s 3.50$ & “so”…",
]
WORDPIECE_KINDS = ("bert", "bert-base", "distilbert")
BYTE_LEVEL_KINDS = ("roberta", "gpt2", "llama", "qwen2")
REFUSED = {
    # WordPiece drops a lone accent, and nothing is left. A word that it does not know is one token,
    # but a tokenizer of bytes needs a token for every letter.
    **dict.fromkeys((("\u0301", kind) for kind in WORDPIECE_KINDS), "There is no word here yet"),
    **dict.fromkeys((("x" * 300, kind) for kind in BYTE_LEVEL_KINDS), "at most 128"),
}
"""Which text is refused by which model, and why; all others are shown."""


@pytest.mark.parametrize(("kind", "max_tokens"), [("bert", 40), ("llama", 128)])
def test_too_long_a_sentence_is_refused_and_kept(checkpoint_client, kind, max_tokens):
    long = "the cat sat down and " * 40
    answer = checkpoint_client.get(step_path("side-by-side", model=kind, text=long))
    assert answer.status_code == 422
    page = parse_html(answer.text)
    assert f"{kind} reads at most {max_tokens}" in page.text
    assert page.find("input#text")["value"] == long
    (remedy,) = [each for each in page.find_all("a") if each.text.startswith("Keep the first")]
    assert checkpoint_client.get(remedy["href"]).status_code == 200


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
def test_an_empty_field_is_reported(checkpoint_client, kind):
    answer = checkpoint_client.get(step_path("side-by-side", model=kind, text="  "))
    assert answer.status_code == 422
    assert "There is no word here yet" in answer.text


@pytest.mark.parametrize("kind", CHECKPOINT_KINDS)
@pytest.mark.parametrize("text", UNUSUAL_TEXTS)
def test_unusual_sentences_are_shown_in_every_lab_or_refused_with_a_reason(
    checkpoint_client, kind, text
):
    reason = REFUSED.get((text, kind))
    for lab in STEP_WITH_LAB:
        answer = checkpoint_client.get(step_path(lab, model=kind, text=text, reveal=1))
        page = parse_html(answer.text)
        assert answer.status_code == (422 if reason else 200)
        assert (reason or f"{kind} · checkpoint · layer 0") in page.text
        assert bool(drawn_maps(page)) == (not reason)
        assert page.find("input#text")["value"] == text
        assert "<script>alert" not in answer.text
