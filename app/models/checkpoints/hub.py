"""Checkpoints from a hub, by the package `huggingface_hub`. Pickles are never fetched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.loader import TOKENIZER, read_checkpoint
from app.models.checkpoints.safetensors_reader import INDEX, PICKLES, WHOLE, shards
from app.models.registry import Model

CHECKPOINTS = Path("checkpoints")
"""Where models go unless it is said."""

SECONDS = 30
"""The hub must begin to answer within so many."""

CLIENTS = ("httpx", "httpx2")
"""What the package asks by; its errors are not among the package's own."""


class HubError(Exception):
    """Nothing that can be used was fetched; the message says why, and the way out."""


def default_folder(name: str) -> Path:
    return CHECKPOINTS / name.rpartition("/")[2]


def add(name: str, folder: Path, revision: str | None = None) -> Model:
    """Fetches what is needed of a model, and reads it. Raises `HubError`."""
    hub = package()
    try:
        with told(hub, name, folder, revision):
            _fetch(hub, name, folder, revision)
        return read_checkpoint(folder)
    except CheckpointError as error:
        raise HubError(
            f"Headwise cannot read it: {error}. Its files stay where they are."
        ) from error


def _fetch(hub: ModuleType, name: str, folder: Path, revision: str | None) -> None:
    info = hub.HfApi().model_info(name, revision=revision, timeout=SECONDS)
    files = wanted(name, [file.rfilename for file in info.siblings or ()])
    # What was looked at, even if somebody uploads another in between.
    commit = info.sha or revision
    refuse_another(folder, commit or "")

    def download(patterns: list[str]) -> None:
        hub.snapshot_download(name, revision=commit, local_dir=folder, allow_patterns=patterns)

    if INDEX in files:
        download([INDEX])
        files = [*files, *shards(folder)]
    download(files)


def refuse_another(folder: Path, commit: str) -> None:
    """Raises `HubError` for a folder that holds files of another model or revision: what is fetched
    would stand among them, and might not be what is read.
    """
    held = [folder / "config.json", folder / TOKENIZER, folder / INDEX]
    held += folder.glob("*.safetensors")
    if any(file.is_file() and fetched_at(file) != commit for file in held):
        raise HubError(
            f"{folder} holds files of another model, or of another revision of this one, so nothing"
            " was downloaded. Name another folder by --to, or delete it."
        )


def fetched_at(file: Path) -> str | None:
    """The commit that a file was fetched at, as the package notes it beside; None if it was not."""
    note = file.parent / ".cache" / "huggingface" / "download" / f"{file.name}.metadata"
    try:
        return note.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, ValueError):
        return None


def package() -> ModuleType:
    try:
        # Optional, and its parts are there only once they are asked for.
        import huggingface_hub.constants  # noqa: PLC0415
        import huggingface_hub.errors  # noqa: PLC0415
    except ImportError:
        raise HubError(
            "Models are fetched by the package huggingface_hub, which is not installed."
            ' Install it: pip install "headwise[hub]", or in Headwise\'s own folder'
            ' pip install ".[hub]"'
        ) from None
    return huggingface_hub


def wanted(name: str, names: Sequence[str]) -> list[str]:
    """Of a repository's files those that are read, except for the parts that an index names. Raises
    `HubError` if one is lacking.
    """
    nothing = "so nothing was downloaded"
    weights = weights_among(names)
    pickles = [file for file in names if any(fnmatch(file, pattern) for pattern in PICKLES)]
    if not weights and pickles:
        raise HubError(
            f"{name} has only pickled weights ({pickles[0]}), and a pickle can run any program,"
            f" {nothing}. Look for a --revision or for another model with {WHOLE}."
        )
    if not weights:
        raise HubError(f"{name} has no {WHOLE}, {nothing}. Look for another model that has one.")
    if "config.json" not in names:
        raise HubError(f"{name} has no config.json, {nothing}. Look for another model.")
    if TOKENIZER not in names:
        raise HubError(
            f"{name} has no {TOKENIZER}, {nothing}. transformers writes one into a folder of its"
            f' files: AutoTokenizer.from_pretrained("{name}").save_pretrained(folder)'
        )
    return ["config.json", TOKENIZER, *weights]


def weights_among(names: Sequence[str]) -> list[str]:
    """The file of all weights, else the index of their parts."""
    return [file for file in (WHOLE, INDEX) if file in names][:1]


@contextmanager
def told(hub: ModuleType, name: str, folder: Path, revision: str | None) -> Iterator[None]:
    """What the package raises, as one plain sentence."""
    errors, where = hub.errors, hub.constants.ENDPOINT
    unreachable = (
        f"{where} cannot be reached. Look whether there is a network, or fetch the model on a"
        " machine that has one and copy its folder here."
    )
    try:
        yield
    except (HubError, CheckpointError):
        raise
    except errors.HFValidationError:
        raise HubError(
            f"{name!r} is no name of a model; such are bert-base-uncased and owner/model."
        ) from None
    except errors.GatedRepoError:
        raise HubError(
            f"{name} is open only to those whom its owners let in. Ask at {where}/{name}, then log"
            " in: hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"There is no model {name} at {where}, or it is private. Look its name up there; for a"
            " private one log in: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"{name} has no revision {revision}. Leave --revision out, or look it up at"
            f" {where}/{name}."
        ) from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError):
        raise HubError(unreachable) from None
    except errors.HfHubHTTPError as error:
        raise HubError(f"{where} answered {error.response.status_code}. Try again later.") from None
    except OSError as error:
        raise HubError(f"{folder} cannot be written: {error.strerror or error}.") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] in CLIENTS:
            raise HubError(unreachable) from None
        # A hub, or what answers in its place, may say anything.
        raise HubError(f"{name} could not be fetched from {where}: {error!r}") from error
