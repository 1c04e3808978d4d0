"""Documents never change, earlier earnings were available at once, and withdrawals begin with sensible limits."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

from payments.money import CURRENCIES, exponent

APPEND_ONLY = """
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON payments_document
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change();
"""
APPEND_ONLY_UNDO = "DROP TRIGGER refuse_change ON payments_document;"

# Whole units of the dearer currencies; the others get as many hundreds.
LEAST, GREATEST = 10, 10_000
CHEAP = {"JPY": 100, "KRW": 1000, "CLP": 1000, "INR": 100, "MXN": 10}


def clear_earlier_earnings(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    held = apps.get_model("payments", "HeldFunds").objects.filter(released_at__isnull=False)
    held.update(available_at=F("released_at"), cleared_at=F("released_at"))


def set_limits(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    limits = apps.get_model("payments", "WithdrawalLimit").objects
    for currency in CURRENCIES:
        unit = 10 ** exponent(currency) * CHEAP.get(currency, 1)
        limits.create(currency=currency, least=LEAST * unit, greatest=GREATEST * unit)


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_real_money")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunPython(clear_earlier_earnings, migrations.RunPython.noop),
        migrations.RunPython(set_limits, migrations.RunPython.noop),
    ]
