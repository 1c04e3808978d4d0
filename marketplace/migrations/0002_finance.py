"""What Finance may do besides looking: decide withdrawals and their limits, refused refunds, lost chargebacks."""

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SEES = ("Support", "Finance")
FINANCE_MAY = [
    "decide_withdrawal",
    "change_withdrawallimit",
    "turn_refund_into_credit",
    "decide_chargeback_rest",
    "replay_event",
]


def widen_groups(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_permissions(installed.get_app_config("payments"), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects
    seen = permissions.filter(content_type__app_label="payments", codename__startswith="view_")
    for name in SEES:
        groups.get(name=name).permissions.add(*seen)
    groups.get(name="Finance").permissions.add(*permissions.filter(codename__in=FINANCE_MAY))


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_groups"), ("payments", "0004_real_money_rows")]

    operations = [migrations.RunPython(widen_groups, migrations.RunPython.noop)]
