"""What every JSON document has. `docs/json.md` describes them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bughunt import __version__
from bughunt.errors import BughuntError


def document(name: str, data: Mapping[str, Any], *, number: int = 1) -> dict[str, Any]:
    """The document called `name`, in the `number`th form that its schema has had."""
    return {"schema": f"bughunt.{name}/{number}", "version": __version__, **data}


def error_document(error: BughuntError) -> dict[str, Any]:
    """What is printed in the place of a document that could not be made."""
    return document(
        "error", {"error": {"message": error.message, "step": error.step, "code": int(error.code)}}
    )
