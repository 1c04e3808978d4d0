"""How e-mails look. Mail programs drop stylesheets, so each element carries its own. `{% load letter %}`."""

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# The site's tokens that mails use, for light and for dark screens: the values are those of tokens.css.
COLORS = {
    "page": ("#f5f7f5", "#0e1311"),
    "surface": ("#ffffff", "#171d1a"),
    "line": ("#dce2de", "#2e3833"),
    "text": ("#16201b", "#e9eeeb"),
    "soft": ("#4a554f", "#b6c0ba"),
    "faint": ("#5f6a64", "#98a39d"),
    "brand": ("#0b6e4f", "#45b98d"),
    "on-brand": ("#ffffff", "#04130d"),
    "brand-text": ("#0a6347", "#72d3af"),
}
FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

# Of each kind of element: its shape, and its colors by name.
LOOKS: dict[str, tuple[str, dict[str, str]]] = {
    "page": ("margin:0;padding:0", {"background-color": "page"}),
    "around": ("padding:24px 12px", {"background-color": "page"}),
    "brand": (f"{FONT};font-size:17px;font-weight:700;text-decoration:none", {"color": "brand-text"}),
    "card": (
        "border-radius:10px;border-width:1px;border-style:solid;padding:28px 24px",
        {"background-color": "surface", "border-color": "line"},
    ),
    "title": (
        f"margin:0 0 14px;{FONT};font-size:21px;line-height:1.3;font-weight:700;overflow-wrap:anywhere",
        {"color": "text"},
    ),
    "subtitle": (
        f"margin:0 0 4px;{FONT};font-size:16px;line-height:1.4;font-weight:700;overflow-wrap:anywhere",
        {"color": "text"},
    ),
    "text": (f"margin:0 0 10px;{FONT};font-size:16px;line-height:1.5;overflow-wrap:anywhere", {"color": "text"}),
    "small": (
        f"margin:0 0 8px;{FONT};font-size:14px;line-height:1.5;overflow-wrap:anywhere",
        {"color": "soft"},
    ),
    "code": (
        "margin:0 0 14px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:26px;letter-spacing:3px",
        {"color": "text"},
    ),
    "link": ("text-decoration:underline", {"color": "brand-text"}),
    "button_cell": ("border-radius:8px", {"background-color": "brand"}),
    "button": (
        f"display:inline-block;padding:12px 22px;{FONT};font-size:16px;font-weight:600;text-decoration:none",
        {"color": "on-brand"},
    ),
    "entry": (
        "padding:16px 0;border-top-width:1px;border-top-style:solid",
        {"border-top-color": "line"},
    ),
    "foot": (f"margin:0 0 6px;{FONT};font-size:13px;line-height:1.5", {"color": "faint"}),
}


@register.simple_tag
def look(name: str) -> SafeString:
    """The attributes of an element: its look on light screens, and the class by which dark ones change it."""
    shape, colors = LOOKS[name]
    colored = "".join(f";{rule}:{COLORS[color][0]}" for rule, color in colors.items())
    return format_html('class="m-{}" style="{}"', name, mark_safe(f"{shape}{colored}"))  # noqa: S308 -- constants


@register.simple_tag
def dark_looks() -> SafeString:
    """The rules for dark screens, where the mail program reads them."""
    rules = (
        f".m-{name}{{{';'.join(f'{rule}:{COLORS[color][1]} !important' for rule, color in colors.items())}}}"
        for name, (_, colors) in LOOKS.items()
    )
    return mark_safe("\n".join(rules))  # noqa: S308 -- constants


@register.simple_tag
def site_url() -> str:
    return str(settings.SITE_URL).rstrip("/")
