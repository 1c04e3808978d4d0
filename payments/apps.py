from django.apps import AppConfig
from django.core import checks

from payments.checks import refuse_play_money, refuse_wrong_stripe_keys


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        checks.register(refuse_play_money, deploy=True)
        checks.register(refuse_wrong_stripe_keys)
