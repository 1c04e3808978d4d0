"""Events as JSON, whichever provider sends them."""

import json
from typing import Any, NoReturn

from .base import BadEvent


def storable_json(raw_body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes, if PostgreSQL can store it: no NaN, no NUL, no half surrogates."""
    try:
        body = json.loads(raw_body.decode(), parse_constant=_refuse_constant)
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise BadEvent("The event is not readable JSON.") from error
    if not isinstance(body, dict) or "\\u0000" in text:
        raise BadEvent("The event is not a JSON object that can be stored.")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
