"""Which reasons are for proposals, and those that only proposals have (R1, R5)."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FOR_BOTH = ("requirements_missing", "scope_disagreement", "agreed_by_both")
ALWAYS = ["in_progress", "delivered", "in_revision", "between"]
# Code, text, cited by the buyer, by the seller, and in which states of the order.
REASONS = [
    ("more_time_needed", "The work needs more time", False, True, ["in_progress", "in_revision"]),
    ("more_changes_wanted", "More changes are wanted", True, False, ["delivered", "in_revision"]),
    ("plan_has_changed", "The plan has changed", True, True, ALWAYS),
]


def add_reasons(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Reason = apps.get_model("resolution", "Reason")
    Reason.objects.filter(code__in=FOR_BOTH).update(in_proposals=True)
    last = Reason.objects.count()
    Reason.objects.bulk_create(
        Reason(
            code=code,
            text=text,
            cited_by_buyer=buyer,
            cited_by_seller=seller,
            states=states,
            position=position,
            in_disputes=False,
            in_proposals=True,
        )
        for position, (code, text, buyer, seller, states) in enumerate(REASONS, start=last + 1)
    )


class Migration(migrations.Migration):
    dependencies = [("resolution", "0005_cases_of_every_kind")]

    operations = [migrations.RunPython(add_reasons, migrations.RunPython.noop)]
