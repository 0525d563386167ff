"""The admin site that takes the stock one's place."""

from django.contrib.admin.apps import AdminConfig


class ChargetreeAdminConfig(AdminConfig):
    default_site = "config.admin.ChargetreeAdminSite"
