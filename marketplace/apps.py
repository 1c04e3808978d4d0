from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from marketplace.databases import refuse_contradictions


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = _("Marketplace")

    def ready(self) -> None:
        checks.register(refuse_contradictions)
