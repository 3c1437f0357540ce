"""Every option that can be set from outside, as an environment variable `HEADWISE_…`."""

from os import pathsep
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PACKAGE = Path(__file__).parent


def site_folder(name: str) -> Path:
    """`lessons`, `templates` or `static`: inside an installed package, else beside it."""
    installed = _PACKAGE / "site" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def split_origins(value: object) -> object:
    """Origins with spaces between them, as an environment variable holds them."""
    return tuple(value.split()) if isinstance(value, str) else value


Origin = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|https?://\*\.[a-z.-]+)$"),
]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split_origins)]


def split_paths(value: object) -> object:
    """Paths as an environment variable holds them: with colons between, semicolons on Windows."""
    return tuple(filter(None, value.split(pathsep))) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split_paths)]


class Settings(BaseSettings):
    """README.md lists these; a test holds the list to this class."""

    model_config = SettingsConfigDict(env_prefix="HEADWISE_", frozen=True)

    lessons: Path = Field(
        default_factory=lambda: site_folder("lessons"), description="Folder of the lessons."
    )
    checkpoints: Paths = Field(
        (),
        description="Folders of checkpoints, or folders that hold them, with colons between;"
        " none by default.",
    )
    embed_origins: Origins = Field(
        (), description="Sites that may embed a lab, with spaces between them; none by default."
    )
    cors_origins: Origins = Field(
        (), description="Sites whose scripts may read the API, with spaces; none by default."
    )
    api_per_minute: int = Field(
        600,
        gt=0,
        description="Requests for API and files a minute from one address; beyond it, 429.",
    )
    cache_megabytes: int = Field(
        16,
        ge=0,
        description=(
            "Memory for answers and computed maps that are asked for again, in MB; 0 keeps none."
        ),
    )
    secret: SecretStr = Field(
        SecretStr(""), description="Signs assignments and completion codes; without it neither is."
    )
    max_query_bytes: int = Field(
        32_768, gt=0, description="Longest query of an address; beyond it the answer is 414."
    )
    max_body_bytes: int = Field(
        65_536, ge=0, description="Largest body of a request; beyond it the answer is 413."
    )
