from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.web.state.assignments import Assignment, InvalidAssignmentError, Signer

SIGNER = Signer("a secret")
STEPS = range(1, 41)
texts = st.text(max_size=60)
assignments = st.builds(
    Assignment, texts, texts, st.lists(texts, max_size=4).map(tuple), st.text(max_size=600)
)
results = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from("rwn"), st.sampled_from("rwn")),
    min_size=1,
    max_size=20,
    unique_by=lambda answered: answered[0],
)


@given(assignments, st.sampled_from([SIGNER, Signer("")]))
def test_an_assignment_comes_back_out_of_its_token(assignment, signer):
    assert signer.decode_assignment(signer.encode_assignment(assignment)) == assignment


@given(assignments, st.data())
def test_a_changed_token_is_detected(assignment, data):
    token = SIGNER.encode_assignment(assignment)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABab01-_."))
    changed = token[:place] + letter + token[place + 1 :]
    # The last letter of base64 may stand for the same bytes; the text is signed, not the bytes.
    if changed != token:
        with pytest.raises(InvalidAssignmentError):
            SIGNER.decode_assignment(changed)


@pytest.mark.parametrize(
    "token", ["", "x", "bnVsbA", "WzEsMiwzLDRd", "W10", "é", "a.b.c", "abc.é", "a.\ud800"]
)
@pytest.mark.parametrize("signer", [SIGNER, Signer("")])
def test_an_invalid_token_is_detected(token, signer):
    with pytest.raises(InvalidAssignmentError):
        signer.decode_assignment(token)


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
def test_content_that_no_form_can_send_is_no_assignment(content):
    token = urlsafe_b64encode(content.encode()).decode().rstrip("=")
    with pytest.raises(InvalidAssignmentError):
        Signer("").decode_assignment(token)


def test_a_signing_server_rejects_unsigned_tokens():
    with pytest.raises(InvalidAssignmentError):
        SIGNER.decode_assignment(Signer("").encode_assignment(Assignment("/a", "")))
    with pytest.raises(InvalidAssignmentError):
        SIGNER.decode_assignment(Signer("another").encode_assignment(Assignment("/a", "")))


@example([(1, "r", "r")], "–")
@given(results, st.text(max_size=40))
def test_a_line_is_valid_only_on_the_server_that_made_it(answers, name):
    line = SIGNER.make_receipt(
        "a-lesson", "".join(f"{n}{p}{c}" for n, p, c in answers), name, STEPS
    )
    receipt = SIGNER.verify_receipt(line)
    assert receipt.is_valid
    assert [step for step, _, _ in receipt.steps] == [n for n, _, _ in answers]
    assert receipt.n_right == (
        sum(p == "r" for _, p, _ in answers),
        sum(c == "r" for _, _, c in answers),
    )
    assert not Signer("another").verify_receipt(line).is_valid
    assert not Signer("").verify_receipt(line).is_valid


def test_changed_results_or_names_are_detected():
    line = SIGNER.make_receipt("a-lesson", "1rw2rr", "Ada", STEPS)
    assert SIGNER.verify_receipt(f"  {line} ").is_valid
    for changed in (line.replace("1rw", "1rr"), line.replace("Ada", "Bob"), line[:-1], "", "· · ·"):
        assert not SIGNER.verify_receipt(changed).is_valid


@pytest.mark.parametrize("hyphen", ["–", "‑", "—", "‐", "−"])
def test_a_code_is_valid_with_typographic_hyphens(hyphen):
    line = SIGNER.make_receipt("a-lesson", "1rw2rr", "Ada-Lee", STEPS)
    start, _, code = line.rpartition(" ")
    receipt = SIGNER.verify_receipt(f"{start} {code.replace('-', hyphen)}")
    assert receipt.is_valid
    assert receipt.name == "Ada-Lee"


def test_a_code_with_other_letters_is_invalid():
    line = SIGNER.make_receipt("a-lesson", "1rw2rr", "Ada", STEPS)
    assert not SIGNER.verify_receipt(line[:-1] + "é").is_valid
    assert not SIGNER.verify_receipt(line[:-1] + "\ud800").is_valid


@pytest.mark.parametrize("wrong", ["", "x", "1r", "1rr;", "1rr" * 50, "0rr"])
def test_invalid_results_get_no_line(wrong):
    with pytest.raises(ValueError, match="no results"):
        SIGNER.make_receipt("a-lesson", wrong, "Ada", STEPS)


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ("1rr1rr", "step 1 is there twice"),
        ("1rr2wn1ww", "step 1 is there twice"),
        ("1rr8rr", "this lesson has no step 8"),
        ("99rr", "this lesson has no step 99"),
    ],
)
def test_results_are_those_of_the_steps_of_the_lesson(results, why):
    with pytest.raises(ValueError, match=why):
        SIGNER.make_receipt("a-lesson", results, "Ada", range(1, 8))


@pytest.mark.parametrize(
    ("typed", "pasted"),
    [
        ("Zoë", "Zoe\u0308"),
        ("Zoe\u0308", "Zoë"),
        ("Ada Lee", "Ada  \t Lee"),
        ("Ada\u00a0Lee", "Ada Lee"),
    ],
)
def test_a_name_is_the_same_however_it_was_typed_and_pasted(typed, pasted):
    line = SIGNER.make_receipt("a-lesson", "1rr", typed, STEPS)
    start, results, _, code = line.split(" · ")
    receipt = SIGNER.verify_receipt(" · ".join((start, results, pasted, code)))
    assert receipt.is_valid
    assert receipt.name == line.split(" · ")[2]


def test_the_greek_dot_separates_like_ours():
    line = SIGNER.make_receipt("a-lesson", "1rr", "Ada\u0387Lee", STEPS)
    assert SIGNER.verify_receipt(line).name == "Ada Lee"
    assert SIGNER.verify_receipt(line.replace("·", "\u0387")).is_valid


def test_a_name_cannot_break_out_of_its_line():
    line = SIGNER.make_receipt("a-lesson", "1rr", " Ada ·\n1ww · x ", STEPS)
    assert SIGNER.verify_receipt(line).is_valid
    assert SIGNER.verify_receipt(line).name == "Ada 1ww x"
    with pytest.raises(ValueError, match="at most 80"):
        SIGNER.make_receipt("a-lesson", "1rr", "a" * 81, STEPS)
