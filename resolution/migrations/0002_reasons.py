"""The valid reasons (R5): code, text, cited by the buyer, by the seller, and in which states of the order."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WORK = ["in_progress", "in_revision"]
DELIVERED = ["delivered", "in_revision"]
ALWAYS = ["in_progress", "delivered", "in_revision", "between"]
NOT_DELIVERED = ["in_progress", "in_revision", "between"]

REASONS = [
    ("seller_late", "The seller is late", True, False, WORK),
    ("seller_unresponsive", "The seller does not respond", True, False, WORK),
    ("not_as_described", "The delivery is not as described", True, False, DELIVERED),
    ("unusable_files", "Nothing or unusable files were delivered", True, False, DELIVERED),
    ("buyer_unresponsive", "The buyer does not respond", False, True, NOT_DELIVERED),
    ("requirements_missing", "The buyer has not provided what is needed", False, True, NOT_DELIVERED),
    ("scope_disagreement", "We disagree about the scope", True, True, ALWAYS),
    ("ordered_by_mistake", "It was ordered by mistake", True, False, ["in_progress", "between"]),
    ("cannot_deliver", "The seller cannot deliver", False, True, NOT_DELIVERED),
    ("intellectual_property", "It infringes intellectual property", True, True, ALWAYS),
    ("fraud_or_abuse", "Fraud or abuse", True, True, ALWAYS),
    ("agreed_by_both", "Both sides agree", True, True, ALWAYS),
]


def add_reasons(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Reason = apps.get_model("resolution", "Reason")
    Reason.objects.bulk_create(
        Reason(code=code, text=text, cited_by_buyer=buyer, cited_by_seller=seller, states=states, position=position)
        for position, (code, text, buyer, seller, states) in enumerate(REASONS, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("resolution", "0001_initial")]

    operations = [migrations.RunPython(add_reasons, migrations.RunPython.noop)]
