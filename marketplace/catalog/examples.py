"""Worked examples a plan can start from (FAQ 3). Prices are whole units of the currency, for the seller to change."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace.catalog.plan_rows import Row


@dataclass(frozen=True)
class Example:
    slug: str
    name: StrOrPromise
    summary: StrOrPromise
    title: StrOrPromise
    category: str
    description: StrOrPromise
    steps: tuple[tuple[StrOrPromise, StrOrPromise, int, int, str], ...]

    def rows(self, *, with_prices: bool = True) -> list[Row]:
        """The plan as the builder shows it."""
        return [
            {
                "title": str(title),
                "description": str(description),
                "price": str(price) if with_prices else "",
                "delivery_days": str(days),
                "revisions": revisions,
            }
            for title, description, price, days, revisions in self.steps
        ]


_ALL = (
    Example(
        slug="logo-design",
        name=_("Logo design"),
        summary=_("Three steps: sketches first, so that a wrong direction costs little."),
        title=_("A logo drawn for your business"),
        category="logo-and-brand",
        description=_(
            "We begin with a short questionnaire. You see sketches before I draw anything in detail, "
            "choose one direction, and receive every file you need for print and screen."
        ),
        steps=(
            (_("Sketches"), _("Three directions in black and white, with a sentence on each."), 60, 4, "1"),
            (_("Refined logo"), _("The chosen direction in color, for light and dark backgrounds."), 120, 5, "2"),
            (_("Final files and guide"), _("SVG, PDF and PNG, and a page on colors, spacing and type."), 70, 3, "1"),
        ),
    ),
    Example(
        slug="explainer-video",
        name=_("Whiteboard & explainer video"),
        summary=_("Four steps: the script is agreed before anything is drawn, the drawing before it is voiced."),
        title=_("Whiteboard explainer video, 60 to 90 seconds"),
        category="video-and-animation",
        description=_(
            "A clear story in a minute and a half: script, storyboard, drawing and animation, voice-over and "
            "sound. Each step is yours to accept before the next one begins."
        ),
        steps=(
            (_("Script"), _("Up to 200 words, with a suggestion for each picture."), 120, 4, "2"),
            (_("Storyboard"), _("Every scene as a still frame, in order, with its words."), 150, 5, "2"),
            (_("Drawing and animation"), _("The animated video with a guide voice."), 200, 9, "2"),
            (_("Voice-over and sound"), _("Recorded voice, music and effects; the final file in 1080p."), 90, 4, "1"),
        ),
    ),
    Example(
        slug="small-website",
        name=_("Small website"),
        summary=_("Design, build, launch: you can stop after the design and keep it."),
        title=_("A five-page website for a small business"),
        category="websites",
        description=_("Design first, then a site that loads fast, works on phones and that you can edit yourself."),
        steps=(
            (_("Design of two pages"), _("Home and one inner page, for desktop and phone."), 250, 6, "2"),
            (_("All pages built"), _("Five pages on a test address."), 400, 10, "1"),
            (_("Launch"), _("Your domain, redirects, a backup and half an hour of showing you how."), 150, 3, "1"),
        ),
    ),
    Example(
        slug="book-illustrations",
        name=_("Book illustrations"),
        summary=_("Characters first, then pictures in batches: the same price per batch, a break after each."),
        title=_("Illustrations for a children’s book"),
        category="illustration",
        description=_("We agree on the characters, then I draw the spreads in batches of four."),
        steps=(
            (_("Characters"), _("Each main character in three poses."), 180, 7, "3"),
            (_("Spreads 1 to 4"), _("Sketch, then color."), 320, 12, "2"),
            (_("Spreads 5 to 8"), _("Sketch, then color."), 320, 12, "2"),
        ),
    ),
)

EXAMPLES = {example.slug: example for example in _ALL}
