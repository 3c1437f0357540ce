"""Every option that can be set from outside, as an environment variable `HEADWISE_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_PACKAGE = Path(__file__).parent


def site_folder(name: str) -> Path:
    """`lessons`, `templates` or `static`: inside an installed package, else beside it."""
    installed = _PACKAGE / "site" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


class Settings(BaseSettings):
    """README.md lists these; a test holds the list to this class."""

    model_config = SettingsConfigDict(env_prefix="HEADWISE_", frozen=True)

    lessons: Path = Field(
        default_factory=lambda: site_folder("lessons"), description="Folder of the lessons."
    )
    max_query_bytes: int = Field(
        32_768, gt=0, description="Longest query of an address; beyond it the answer is 414."
    )
    max_body_bytes: int = Field(
        65_536, ge=0, description="Largest body of a request; beyond it the answer is 413."
    )
