"""Worked examples a plan can start from (FAQ 3). Prices are whole units of the currency, for the seller to change."""

from dataclasses import dataclass

from marketplace.catalog.plans import Row


@dataclass(frozen=True)
class Example:
    slug: str
    name: str
    summary: str
    title: str
    category: str
    description: str
    steps: tuple[tuple[str, str, int, int, str], ...]

    def rows(self, *, with_prices: bool = True) -> list[Row]:
        """The plan as the builder shows it."""
        return [
            {
                "title": title,
                "description": description,
                "price": str(price) if with_prices else "",
                "delivery_days": str(days),
                "revisions": revisions,
            }
            for title, description, price, days, revisions in self.steps
        ]


_ALL = (
    Example(
        slug="logo-design",
        name="Logo design",
        summary="Three steps: sketches first, so that a wrong direction costs little.",
        title="A logo drawn for your business",
        category="logo-and-brand",
        description="We begin with a short questionnaire. You see sketches before I draw anything in detail, "
        "choose one direction, and receive every file you need for print and screen.",
        steps=(
            ("Sketches", "Three directions in black and white, with a sentence on each.", 60, 4, "1"),
            ("Refined logo", "The chosen direction in color, for light and dark backgrounds.", 120, 5, "2"),
            ("Final files and guide", "SVG, PDF and PNG, and a page on colors, spacing and type.", 70, 3, "1"),
        ),
    ),
    Example(
        slug="explainer-video",
        name="Whiteboard & explainer video",
        summary="Four steps: the script is agreed before anything is drawn, the drawing before it is voiced.",
        title="Whiteboard explainer video, 60 to 90 seconds",
        category="video-and-animation",
        description="A clear story in a minute and a half: script, storyboard, drawing and animation, voice-over and "
        "sound. Each step is yours to accept before the next one begins.",
        steps=(
            ("Script", "Up to 200 words, with a suggestion for each picture.", 120, 4, "2"),
            ("Storyboard", "Every scene as a still frame, in order, with its words.", 150, 5, "2"),
            ("Drawing and animation", "The animated video with a guide voice.", 200, 9, "2"),
            ("Voice-over and sound", "Recorded voice, music and effects; the final file in 1080p.", 90, 4, "1"),
        ),
    ),
    Example(
        slug="small-website",
        name="Small website",
        summary="Design, build, launch: you can stop after the design and keep it.",
        title="A five-page website for a small business",
        category="websites",
        description="Design first, then a site that loads fast, works on phones and that you can edit yourself.",
        steps=(
            ("Design of two pages", "Home and one inner page, for desktop and phone.", 250, 6, "2"),
            ("All pages built", "Five pages on a test address.", 400, 10, "1"),
            ("Launch", "Your domain, redirects, a backup and half an hour of showing you how.", 150, 3, "1"),
        ),
    ),
    Example(
        slug="book-illustrations",
        name="Book illustrations",
        summary="Characters first, then pictures in batches: the same price per batch, a break after each.",
        title="Illustrations for a children’s book",
        category="illustration",
        description="We agree on the characters, then I draw the spreads in batches of four.",
        steps=(
            ("Characters", "Each main character in three poses.", 180, 7, "3"),
            ("Spreads 1 to 4", "Sketch, then color.", 320, 12, "2"),
            ("Spreads 5 to 8", "Sketch, then color.", 320, 12, "2"),
        ),
    ),
)

EXAMPLES = {example.slug: example for example in _ALL}
