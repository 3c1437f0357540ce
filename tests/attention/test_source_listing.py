import subprocess
import sys

import numpy as np

from app.attention.source_listing import textbook_listing

DRIVER = """
import sys

given = np.load(sys.argv[1], allow_pickle=False)


class W:
    n_heads = n_kv_heads = int(given["n_heads"])
    rotary = None
    query, query_bias = given["query"], given["query_bias"]
    key, key_bias = given["key"], given["key_bias"]
    value, value_bias = given["value"], given["value_bias"]
    output, output_bias = given["output"], given["output_bias"]


mask = given["mask"] if given["mask"].size else None
output, weights = multi_head_attention(given["X"], W, mask)
np.savez(sys.argv[2], output=output, weights=weights)
"""


def run_listing(trace, folder, mask=None):
    """The printed text as a program of its own, in a Python that cannot see Headwise."""
    W = trace.W
    names = ("query", "query_bias", "key", "key_bias", "value", "value_bias")
    inputs = {name: getattr(W, name) for name in names}
    inputs |= {"output": W.output, "output_bias": W.output_bias, "n_heads": W.n_heads, "X": trace.X}
    np.savez(folder / "in.npz", **inputs, mask=np.zeros(0) if mask is None else mask)
    program = folder / "listing.py"
    program.write_text(textbook_listing() + DRIVER, encoding="utf-8")
    command = [sys.executable, "-I", str(program), str(folder / "in.npz"), str(folder / "out.npz")]
    subprocess.run(command, check=True, cwd=folder)
    return np.load(folder / "out.npz", allow_pickle=False)


def test_the_printed_code_runs_alone_and_gives_the_maps_of_the_step(models, tmp_path):
    model = models["headwise-h8"]
    forward_pass = model.run(model.tokenizer.sentence("Many heads may share one memory"))
    out = run_listing(forward_pass.trace(0), tmp_path)
    assert np.abs(out["weights"] - forward_pass.weights[0]).max() < 1e-6
    assert np.abs(out["output"] - forward_pass.trace(0).output).max() < 1e-4


def test_the_printed_code_masks_as_the_lab_does(models, tmp_path):
    model = models["headwise-h2"]
    trace = model.run(model.tokenizer.sentence("The cat sat down")).trace(0)
    weights = run_listing(trace, tmp_path, np.tri(4, dtype=bool))["weights"]
    assert np.all(weights[:, ~np.tri(4, dtype=bool)] == 0)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


def test_the_printed_code_needs_numpy_alone_and_can_be_read_on_one_page():
    listing = textbook_listing()
    imports = [line for line in listing.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["from math import sqrt", "import numpy as np"]
    assert '"""' not in listing
    assert "raise" not in listing
    assert len([line for line in listing.splitlines() if line.strip()]) < 55
