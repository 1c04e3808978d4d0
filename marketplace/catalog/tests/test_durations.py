from datetime import timedelta

import pytest

from marketplace.catalog import durations


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=8), "8 days"),
        (timedelta(days=3), "3 days"),
        (timedelta(hours=48), "48 hours"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(days=8, seconds=1), "691201 seconds"),
        (timedelta(milliseconds=1500), "1.5 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_length_is_said_exactly(length: timedelta, words: str) -> None:
    assert durations.in_words(length) == words


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("8 days", timedelta(days=8)),
        (" 1 Day ", timedelta(days=1)),
        ("24hours", timedelta(hours=24)),
        ("90 seconds", timedelta(seconds=90)),
        ("0 seconds", timedelta(0)),
        ("15 minutes", timedelta(minutes=15)),
    ],
)
def test_a_written_length_is_read(text: str, length: timedelta) -> None:
    assert durations.parse(text) == length


@pytest.mark.parametrize(
    "text", ["", "8", "days", "-8 days", "1.5 days", "8 weeks", "8 days 2 hours", "٨ days", "8\0days"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as “8 days”, “24 hours” or “90 seconds”"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["3651 days", "999999999 seconds"])
def test_ten_years_are_the_limit(text: str) -> None:
    with pytest.raises(ValueError, match="At most 3650 days"):
        durations.parse(text)


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 90, 3600, 86_400, 172_800, 259_200, 691_200, 691_201])
def test_what_is_said_can_be_read(seconds: int) -> None:
    assert durations.parse(durations.in_words(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
