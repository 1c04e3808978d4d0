from django.db import migrations, models

FROM_ITS_DATE = """
UPDATE orders_milestone milestone SET very_late_at = milestone.deliver_by + terms.very_late
FROM orders_order orders JOIN catalog_terms terms ON terms.id = orders.terms_id
WHERE orders.id = milestone.order_id AND milestone.deliver_by IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_append_only"), ("catalog", "0002_protect_terms")]

    operations = [
        migrations.AddField(
            model_name="milestone",
            name="very_late_at",
            field=models.DateTimeField(
                blank=True,
                help_text="From then on the buyer may cancel on the spot, while nothing is delivered.",
                null=True,
            ),
        ),
        migrations.RunSQL(FROM_ITS_DATE, migrations.RunSQL.noop),
    ]
