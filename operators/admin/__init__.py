"""The admin's pages of operators, their grants, API keys and webhooks; signing in, and one's own account."""

from django.contrib import admin
from django.contrib.auth.models import Group

from operators.admin import consequences
from operators.admin.operators import OperatorAdmin, SiteGrantAdmin

# isort: split
# Operators come first in the navigation.
from operators.admin.keys import ApiKeyAdmin
from operators.webhooks.admin import WebhookAdmin

__all__ = ["ApiKeyAdmin", "OperatorAdmin", "SiteGrantAdmin", "WebhookAdmin", "consequences"]

# Who may do what follows from operators and their grants, never from groups.
admin.site.unregister(Group)
