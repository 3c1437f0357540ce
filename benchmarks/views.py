"""HTTP requests as learners' browsers send them: fragments of labs, and whole steps."""

from urllib.parse import urlencode

from app.settings import site_folder

LESSON = "multi-head-attention"
WORDS = (
    "cat", "dog", "bird", "child", "man", "woman", "king", "ship", "horse", "tree", "boy", "girl",
    "house", "door", "ball", "box", "bear", "fish", "bed", "book", "hat", "cup", "sun", "moon",
    "duck",
)  # fmt: skip

STEPS = [
    f"/{LESSON}/{file.stem.partition('-')[2]}"
    for file in sorted((site_folder("lessons") / LESSON).glob("[0-9]*.toml"))
]


def sentence(number: int) -> str:
    """Return a sentence of nine tokens, a different one for each number up to 15,624."""
    if not 0 <= number < len(WORDS) ** 3:
        raise ValueError(f"there is no sentence {number}")
    a, b, c = (WORDS[number // len(WORDS) ** power % len(WORDS)] for power in range(3))
    return f"The {a} saw a {b} near the {c}."


def query(number: int) -> str:
    parameters = {"text": sentence(number), "model": "headwise-h4", "layer": 0, "word": 1}
    return urlencode(parameters)


def fragment_request(step: str, number: int, *, gzip: bool = False) -> bytes:
    """Return the request that a lab sends when a learner has typed a sentence."""
    return _request(
        f"{step}?{query(number)}",
        "HX-Request: true",
        "HX-Request-Type: partial",
        *(["Accept-Encoding: gzip"] if gzip else []),
    )


def step_request(step: str) -> bytes:
    """Return a browser's request for a step, which opens with its default sentence."""
    return _request(step, "Accept-Encoding: gzip")


def _request(target: str, *headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode()
