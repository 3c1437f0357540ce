"""Requests for the lesson's steps with checkpoints, each step named by its lab."""

from urllib.parse import parse_qs, urlencode, urlsplit

from tests.shipped import LESSONS
from tests.web.html import Element, parse_html, submission_url

LESSON = next(lesson for lesson in LESSONS if lesson.slug == "multi-head-attention")
STEP_WITH_LAB = {step.config.lab.name: step.slug for step in LESSON.steps}
"""The address of the step that has each lab."""

TEXT = "The cat didn't sit down"
ENCODER_KINDS, CAUSAL_KINDS = ("bert", "roberta", "distilbert"), ("gpt2", "llama", "qwen2")
KINDS_WITH_SPECIAL_TOKENS = (*ENCODER_KINDS, "bert-base", "llama")


def step_path(lab, suffix="", **query):
    """Return the address of a step, or of what its suffix names, with the sentence TEXT."""
    slug = STEP_WITH_LAB[lab]
    return f"/{LESSON.slug}/{slug}{suffix}?{urlencode({'text': TEXT} | query)}"


def open_step(client, lab, suffix="", headers=None, **query) -> Element:
    """Return the parsed page or fragment, which must be a valid view."""
    answer = client.get(step_path(lab, suffix, **query), headers=headers)
    assert answer.status_code == 200, answer.text
    return parse_html(answer.text)


def press(client, page, button, **typed):
    """Press a button of the lab's form without scripts and return the query of the view that
    opens.
    """
    answer = client.get(submission_url(page, "lab", button, **typed))
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["location"])


def query_of(address):
    """Return the first value of each name in the address's query."""
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    return {name: values[0] for name, values in query.items()}


def lab_json(client, lab, **query):
    """Return the numbers of the step's lab, from the API."""
    answer = client.get(f"/api/v1/labs{step_path(lab, **query)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def drawn_maps(page: Element) -> list[str]:
    """Return the source of every map; of many tokens some labs draw only small ones."""
    return [svg.source for svg in page.find_all("svg.map")]
