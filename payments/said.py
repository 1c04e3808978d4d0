"""What a provider said, in the reader's language.

Reasons and names of cards are kept as they came, in English, because an operation belongs to two readers; our own
sentences among them are in the catalog of translations, and are looked up when they are shown.
"""

import re

from django.utils.translation import gettext as _

_NUMBERED = re.compile(r"(?P<name>.+) ending in (?P<digits>[0-9]{4})")


def said(words: str) -> str:
    """A reason, or "Visa ending in 4242"; what is not ours stays as it is."""
    if number := _NUMBERED.fullmatch(words):
        return _("{name} ending in {digits}").format(**number.groupdict())
    return _(words) if words else ""
