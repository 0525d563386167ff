"""The admin of operators, site access, API keys and webhooks, the sign-in pages, and your account."""

from django.contrib import admin
from django.contrib.auth.models import Group

from operators.admin import consequences
from operators.admin.operators import OperatorAdmin, SiteGrantAdmin

# isort: split
# The order of the navigation.
from operators.admin.keys import ApiKeyAdmin
from operators.webhooks.admin import WebhookAdmin

__all__ = ["ApiKeyAdmin", "OperatorAdmin", "SiteGrantAdmin", "WebhookAdmin", "consequences"]

# Permissions follow from operators and their site access, not from groups.
admin.site.unregister(Group)
