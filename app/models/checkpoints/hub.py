"""Download checkpoints from a hub with `huggingface_hub`; pickles are never downloaded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.loader import CONFIG_FILE, TOKENIZER_FILE, read_checkpoint
from app.models.checkpoints.safetensors_reader import (
    INDEX_FILE,
    PICKLE_PATTERNS,
    WEIGHTS_FILE,
    shard_names,
)
from app.models.model import Model

DEFAULT_ROOT = Path("checkpoints")
"""Folder into which models are downloaded by default."""

TIMEOUT_SECONDS = 30
"""Timeout for the first request to the hub."""

HTTP_CLIENTS = ("httpx", "httpx2")
"""HTTP libraries of `huggingface_hub`, whose errors it does not translate."""


class HubError(Exception):
    """A checkpoint was not downloaded, or cannot be read. The message says why."""


def default_folder(name: str) -> Path:
    """Return the folder into which a model is downloaded by default."""
    return DEFAULT_ROOT / name.rpartition("/")[2]


def download_checkpoint(name: str, folder: Path, revision: str | None = None) -> Model:
    """Download the files of a model that are needed, and read it. Raises `HubError`."""
    hub = import_hub()
    try:
        with translate_errors(hub, name, folder, revision):
            _download(hub, name, folder, revision)
        return read_checkpoint(folder)
    except CheckpointError as error:
        raise HubError(
            f"Headwise cannot read the model: {error}. The downloaded files were kept."
        ) from error


def _download(hub: ModuleType, name: str, folder: Path, revision: str | None) -> None:
    info = hub.HfApi().model_info(name, revision=revision, timeout=TIMEOUT_SECONDS)
    files = files_to_download(name, [file.rfilename for file in info.siblings or ()])
    # Pin the commit whose files were listed: another may be uploaded in between.
    commit = info.sha or revision
    check_same_revision(folder, commit or "")

    def download(patterns: list[str]) -> None:
        hub.snapshot_download(name, revision=commit, local_dir=folder, allow_patterns=patterns)

    if INDEX_FILE in files:
        download([INDEX_FILE])
        files = [*files, *shard_names(folder)]
    download(files)


def check_same_revision(folder: Path, commit: str) -> None:
    """Raise `HubError` if the folder has files of another model or revision.

    Files of both would be mixed, and those of the other might be read.
    """
    existing = [folder / CONFIG_FILE, folder / TOKENIZER_FILE, folder / INDEX_FILE]
    existing += folder.glob("*.safetensors")
    if any(file.is_file() and downloaded_commit(file) != commit for file in existing):
        raise HubError(
            f"{folder} contains files of another model or revision, so nothing was downloaded."
            " Choose another folder with --to, or delete it."
        )


def downloaded_commit(file: Path) -> str | None:
    """Return the commit that a file was downloaded at, None if it was not downloaded.

    `huggingface_hub` writes it to a metadata file next to the download.
    """
    metadata = file.parent / ".cache" / "huggingface" / "download" / f"{file.name}.metadata"
    try:
        return metadata.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, ValueError):
        return None


def import_hub() -> ModuleType:
    """Return the package `huggingface_hub`. Raises `HubError` if it is not installed."""
    try:
        # An optional dependency; its submodules exist only after they are imported.
        import huggingface_hub.constants  # noqa: PLC0415
        import huggingface_hub.errors  # noqa: PLC0415
    except ImportError:
        raise HubError(
            "Downloading models requires the package huggingface_hub, which is not installed."
            ' Install it with pip install "headwise[hub]", or pip install ".[hub]" in the folder'
            " of Headwise."
        ) from None
    return huggingface_hub


def files_to_download(name: str, names: Sequence[str]) -> list[str]:
    """Return the files of a repository that are needed, without the shards listed in an index.

    `names` are all its files. Raises `HubError` if a required file is missing.
    """
    nothing = "so nothing was downloaded"
    weights = weights_or_index(names)
    pickles = [file for file in names if any(fnmatch(file, pattern) for pattern in PICKLE_PATTERNS)]
    if not weights and pickles:
        raise HubError(
            f"{name} has only pickled weights ({pickles[0]}). A pickle can run any program,"
            f" {nothing}. Try another --revision, or a model with {WEIGHTS_FILE}."
        )
    if not weights:
        raise HubError(f"{name} has no {WEIGHTS_FILE}, {nothing}. Choose another model.")
    if CONFIG_FILE not in names:
        raise HubError(f"{name} has no {CONFIG_FILE}, {nothing}. Choose another model.")
    if TOKENIZER_FILE not in names:
        raise HubError(
            f"{name} has no {TOKENIZER_FILE}, {nothing}."
            f' transformers writes it: AutoTokenizer.from_pretrained("{name}").save_pretrained('
            "folder)"
        )
    return [CONFIG_FILE, TOKENIZER_FILE, *weights]


def weights_or_index(names: Sequence[str]) -> list[str]:
    """Return the file of all weights, else the index of their shards, else nothing."""
    return [file for file in (WEIGHTS_FILE, INDEX_FILE) if file in names][:1]


@contextmanager
def translate_errors(
    hub: ModuleType, name: str, folder: Path, revision: str | None
) -> Iterator[None]:
    """Raise `HubError` with a plain message for any error of `huggingface_hub`."""
    errors, url = hub.errors, hub.constants.ENDPOINT
    unreachable = (
        f"{url} cannot be reached. Check the network, or download the model on another machine and"
        " copy its folder here."
    )
    try:
        yield
    except (HubError, CheckpointError):
        raise
    except errors.HFValidationError:
        raise HubError(
            f"{name!r} is not the name of a model. Valid names: bert-base-uncased, owner/model."
        ) from None
    except errors.GatedRepoError:
        raise HubError(
            f"{name} requires permission of its owners. Request it at {url}/{name}, then log in:"
            " hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"There is no model {name} at {url}, or it is private. Check the name; for a private"
            " model, log in: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"{name} has no revision {revision}. Omit --revision, or choose one of {url}/{name}."
        ) from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError):
        raise HubError(unreachable) from None
    except errors.HfHubHTTPError as error:
        raise HubError(
            f"{url} responded with status {error.response.status_code}. Try again later."
        ) from None
    except OSError as error:
        raise HubError(f"{folder} cannot be written: {error.strerror or error}.") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] in HTTP_CLIENTS:
            raise HubError(unreachable) from None
        # A hub, or a proxy in front of it, may send anything.
        raise HubError(f"{name} cannot be downloaded from {url}: {error!r}") from error
