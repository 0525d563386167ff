"""The admin of customers, sites, the change log and imports."""

# In the order of the navigation.
# isort: off
from hierarchy.admin.pages import CustomerAdmin, SiteAdmin
from backoffice.log import ChangeAdmin
from backoffice.imports import ImportAdmin
# isort: on

__all__ = ["ChangeAdmin", "CustomerAdmin", "ImportAdmin", "SiteAdmin"]
