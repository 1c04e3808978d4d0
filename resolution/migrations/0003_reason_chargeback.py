"""The reason of cases about a payment that the buyer's bank has taken back; neither side cites it (M10, R5)."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OPEN = ["in_progress", "delivered", "in_revision"]
TEXT = "The buyer's bank took the payment back"


def add_reason(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    reasons = apps.get_model("resolution", "Reason").objects
    reasons.create(code="chargeback", text=TEXT, states=OPEN, position=reasons.count() + 1)


class Migration(migrations.Migration):
    dependencies = [("resolution", "0002_reasons")]

    operations = [migrations.RunPython(add_reason, migrations.RunPython.noop)]
