"""Records of heads, read from their files and evaluated by loops, to compare with."""

import json
from math import sqrt

from app.evaluation.report import RELATIONS
from app.models.builtin import BUILTIN_FOLDER


def read_record(model):
    return json.loads((BUILTIN_FOLDER / model / "heads.json").read_text("utf-8"))


def wilson(hits, n):
    """The 95 % interval, solved as the quadratic equation |p - x| = z sqrt(x (1 - x) / n)."""
    p, z = hits / n, 1.96
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def naive_relations(record, head):
    """Return (margin, label, finding, baseline, is_found) of every relation, best first."""
    baselines = {(each["relation"], each["direction"]): each for each in record["baselines"]}
    relations = []
    for finding in head["findings"]:
        baseline = baselines[finding["relation"], finding["direction"]]
        hits, n = finding["test"]["hits"], finding["test"]["n"]
        offset_rate = baseline["offset_share"]["hits"] / baseline["offset_share"]["n"]
        highest = max([offset_rate, *baseline["twins"]])
        dependent, governor = RELATIONS[finding["relation"]]
        label = (
            f"{dependent} → {governor}"
            if finding["direction"] == "dependent to head"
            else f"{governor} → {dependent}"
        )
        found = n >= 50 and hits / n >= highest + 0.05 and wilson(hits, n)[0] > highest
        relations.append((hits / n - highest, label, finding, baseline, found))
    return sorted(relations, key=lambda each: -each[0])


def naive_places(record, head):
    return [
        place
        for place, share in head["tops"].items()
        if share >= 0.5 and share >= record["twin_tops"][place] + 0.05
    ]


def head_of(record, layer, head):
    """Return the record of one head."""
    return next(each for each in record["heads"] if (each["layer"], each["head"]) == (layer, head))
