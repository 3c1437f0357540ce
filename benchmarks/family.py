"""From a typed sentence to the pictures of step 1: tokens, two models, maps and strips."""

from app.lesson import LABS, LabView
from app.models import shipped_family
from benchmarks.timing import interleaved

SENTENCES = (
    "The cat sat down",
    "The old man and his dog went down to the sea to look for fish.",
    "the cat sat down and " * 8,
)


def report() -> None:
    models = shipped_family()
    model, beside = models["headwise-h4"], models["headwise-h1"]
    print("Sentence to pictures, h = 1 beside h = 4, layer 0, one thread")
    print("tokens |  tokenise |  both models | all with SVG | KB of SVG and strips")
    for text in SENTENCES:
        sentence = model.tokenizer.sentence(text)
        view = LabView(sentence, model, 0, 2, 2, models, {"beside": "headwise-h1"})
        lab = LABS["side-by-side"].run

        def maps(sentence=sentence) -> object:  # type: ignore[no-untyped-def] # noqa: ANN001
            return model.read(sentence, last_layer=0), beside.read(sentence, last_layer=0)

        timed = interleaved(
            {
                "tokens": lambda text=text: model.tokenizer.sentence(text),  # type: ignore[misc]
                "maps": maps,
                "pictures": lambda lab=lab, view=view: lab(view),  # type: ignore[misc]
            }
        )
        figures = [figure for panel in lab(view).panels for figure in panel.heads]
        size = sum(len(figure.map) + len(figure.strip) for figure in figures) / 1024
        print(
            f"{len(sentence.tokens):6} | {timed['tokens'].microseconds:6.0f} µs"
            f" | {timed['maps'].microseconds:9.0f} µs"
            f" | {timed['pictures'].microseconds:9.0f} µs | {size:.0f}"
        )
