"""The fields of a proof have names that can be translated."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0005_see_notes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ledgerproof",
            options={
                "get_latest_by": "proved_at",
                "ordering": ["-proved_at", "-pk"],
                "verbose_name": "ledger proof",
                "verbose_name_plural": "ledger proofs",
            },
        ),
        migrations.AlterField(
            model_name="ledgerproof",
            name="holds",
            field=models.BooleanField(verbose_name="holds"),
        ),
        migrations.AlterField(
            model_name="ledgerproof",
            name="proved_at",
            field=models.DateTimeField(verbose_name="proved at"),
        ),
        migrations.AlterField(
            model_name="ledgerproof",
            name="results",
            field=models.JSONField(verbose_name="results"),
        ),
        migrations.AlterField(
            model_name="ledgerproof",
            name="rows",
            field=models.BigIntegerField(verbose_name="rows"),
        ),
        migrations.AlterField(
            model_name="ledgerproof",
            name="seconds",
            field=models.FloatField(verbose_name="seconds"),
        ),
    ]
