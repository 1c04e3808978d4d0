from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def name_accounts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What is known of where earlier withdrawals went is what the account is called now."""
    accounts = apps.get_model("payments", "PayoutAccount").objects.filter(pk=OuterRef("account_id"))
    apps.get_model("payments", "Withdrawal").objects.update(paid_to=Subquery(accounts.values("label")))


class Migration(migrations.Migration):
    dependencies = [("payments", "0010_early_events")]

    operations = [
        migrations.AddField(
            model_name="withdrawal",
            name="paid_to",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                max_length=20,
                choices=[
                    ("charge", "Charged"),
                    ("surplus", "Charged, not needed"),
                    ("earning", "Paid to the seller"),
                    ("fee", "Platform fee"),
                    ("refund", "Refund due"),
                    ("refunded", "Refund confirmed"),
                    ("refund_returned", "Refund came back"),
                    ("credited", "Given as credit"),
                    ("credit_reserved", "Credit reserved"),
                    ("credit_returned", "Credit no longer reserved"),
                    ("credit_spent", "Paid with credit"),
                    ("cleared", "Earnings available"),
                    ("withdrawal", "Withdrawal requested"),
                    ("withdrawal_returned", "Withdrawal not paid"),
                    ("paid_out", "Withdrawal paid"),
                    ("frozen", "Earnings frozen"),
                    ("unfrozen", "Earnings no longer frozen"),
                    ("chargeback", "Charged back"),
                    ("chargeback_won", "Chargeback won"),
                    ("chargeback_lost", "Chargeback lost"),
                    ("debt_paid", "Debt paid"),
                    ("debt_forgiven", "Debt borne by the platform"),
                ],
            ),
        ),
        migrations.RunPython(name_accounts, migrations.RunPython.noop),
    ]
