from django.apps import AppConfig
from django.contrib.admin import apps as admin  # as a module: Django would take its AppConfig for one of this module


class AccountsConfig(AppConfig):
    name = "marketplace.accounts"


class BackOfficeConfig(admin.AdminConfig):
    default = False  # `marketplace.accounts` means the one above
    default_site = "marketplace.accounts.back_office.BackOffice"
