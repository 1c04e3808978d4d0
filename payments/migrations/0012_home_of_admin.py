"""What admin counts of money, at a million orders."""

import django.contrib.postgres.indexes
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0011_withdrawal_paid_to"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="heldfunds",
            index=models.Index(
                condition=models.Q(
                    (
                        "amount__gt",
                        django.db.models.expressions.CombinedExpression(
                            models.F("refunded"), "+", models.F("charged_back")
                        ),
                    ),
                    ("funded_at__isnull", False),
                    ("released_at", None),
                ),
                fields=["currency"],
                name="held_now",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("retried", False), ("status", "refused")),
                fields=["settled_at"],
                name="refund_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["created_at"], name="transfers_by_time", pages_per_range=32
            ),
        ),
    ]
