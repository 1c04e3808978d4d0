from django.apps import AppConfig
from django.contrib.admin import apps as admin  # as a module: Django would take its AppConfig for one of this module
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"
    verbose_name = _("Accounts")


class BackOfficeConfig(admin.AdminConfig):
    default = False  # `marketplace.accounts` means the one above
    default_site = "marketplace.accounts.back_office.BackOffice"
