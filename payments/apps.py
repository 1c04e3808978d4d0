from django.apps import AppConfig
from django.core import checks

from payments.checks import refuse_sandbox


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        checks.register(refuse_sandbox, deploy=True)
