from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.web.tasks import Assignment, ChangedError, Signer

SIGNER = Signer("a secret")
texts = st.text(max_size=60)
assignments = st.builds(
    Assignment, texts, texts, st.lists(texts, max_size=4).map(tuple), st.text(max_size=600)
)
results = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from("rwn"), st.sampled_from("rwn")),
    min_size=1,
    max_size=20,
)


@given(assignments, st.sampled_from([SIGNER, Signer("")]))
def test_an_assignment_comes_back_out_of_its_token(assignment, signer):
    assert signer.assignment(signer.token(assignment)) == assignment


@given(assignments, st.data())
def test_a_changed_token_is_found_out(assignment, data):
    token = SIGNER.token(assignment)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABab01-_."))
    changed = token[:place] + letter + token[place + 1 :]
    # The last letter of base64 may stand for the same bytes; the text is signed, not the bytes.
    if changed != token:
        with pytest.raises(ChangedError):
            SIGNER.assignment(changed)


@pytest.mark.parametrize(
    "token", ["", "x", "bnVsbA", "WzEsMiwzLDRd", "W10", "é", "a.b.c", "abc.é", "a.\ud800"]
)
@pytest.mark.parametrize("signer", [SIGNER, Signer("")])
def test_what_is_no_token_is_found_out(token, signer):
    with pytest.raises(ChangedError):
        signer.assignment(token)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 50_000,
        '["/a","text=b",[],"\\ud800"]',
        '["/a","text=\\udfff",[],""]',
        '["/a","text=b",["\\ud800"],""]',
        '["\\ud800","text=b",[],""]',
    ],
)
def test_what_no_form_could_have_said_is_no_assignment(content):
    token = urlsafe_b64encode(content.encode()).decode().rstrip("=")
    with pytest.raises(ChangedError):
        Signer("").assignment(token)


def test_an_unsigned_token_is_none_to_a_server_that_signs():
    with pytest.raises(ChangedError):
        SIGNER.assignment(Signer("").token(Assignment("/a", "")))
    with pytest.raises(ChangedError):
        SIGNER.assignment(Signer("another").token(Assignment("/a", "")))


@example([(1, "r", "r")], "–")
@given(results, st.text(max_size=40))
def test_a_line_is_known_by_the_server_that_made_it_alone(found, name):
    line = SIGNER.receipt("a-lesson", "".join(f"{n}{p}{c}" for n, p, c in found), name)
    receipt = SIGNER.verified(line)
    assert receipt.is_valid
    assert [step for step, _, _ in receipt.steps] == [n for n, _, _ in found]
    assert receipt.n_right == (
        sum(p == "r" for _, p, _ in found),
        sum(c == "r" for _, _, c in found),
    )
    assert not Signer("another").verified(line).is_valid
    assert not Signer("").verified(line).is_valid


def test_changed_results_or_names_are_found_out():
    line = SIGNER.receipt("a-lesson", "1rw2rr", "Ada")
    assert SIGNER.verified(f"  {line} ").is_valid
    for changed in (line.replace("1rw", "1rr"), line.replace("Ada", "Bob"), line[:-1], "", "· · ·"):
        assert not SIGNER.verified(changed).is_valid


@pytest.mark.parametrize("hyphen", ["–", "‑", "—", "‐", "−"])
def test_a_code_is_known_with_the_hyphens_that_a_word_processor_makes(hyphen):
    line = SIGNER.receipt("a-lesson", "1rw2rr", "Ada-Lee")
    start, _, code = line.rpartition(" ")
    receipt = SIGNER.verified(f"{start} {code.replace('-', hyphen)}")
    assert receipt.is_valid
    assert receipt.name == "Ada-Lee"


def test_a_code_of_other_letters_than_ours_is_found_out():
    line = SIGNER.receipt("a-lesson", "1rw2rr", "Ada")
    assert not SIGNER.verified(line[:-1] + "é").is_valid
    assert not SIGNER.verified(line[:-1] + "\ud800").is_valid


@pytest.mark.parametrize("wrong", ["", "x", "1r", "1rr;", "1rr" * 50, "0rr"])
def test_what_are_no_results_get_no_line(wrong):
    with pytest.raises(ValueError, match="no results"):
        SIGNER.receipt("a-lesson", wrong, "Ada")


def test_a_name_cannot_break_out_of_its_line():
    line = SIGNER.receipt("a-lesson", "1rr", " Ada ·\n1ww · x ")
    assert SIGNER.verified(line).is_valid
    assert SIGNER.verified(line).name == "Ada 1ww x"
    with pytest.raises(ValueError, match="at most 80"):
        SIGNER.receipt("a-lesson", "1rr", "a" * 81)
