from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from payments.checks import refuse_mixed_money, refuse_play_money, refuse_wrong_stripe_keys


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        checks.register(refuse_play_money, deploy=True)
        checks.register(refuse_wrong_stripe_keys)
        checks.register(refuse_mixed_money, checks.Tags.database)
