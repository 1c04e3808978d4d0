from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_withdrawal_news")]

    operations = [
        migrations.AlterModelOptions(
            name="providerevent",
            options={"permissions": [("replay_event", "Can take an event of a provider once more")]},
        ),
    ]
