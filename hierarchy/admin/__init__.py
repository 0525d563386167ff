"""The admin's pages of customers, sites, the journal and imports, and the base that all other pages stand on."""

# In the order in which the menu shows them.
# isort: off
from hierarchy.admin.pages import CustomerAdmin, SiteAdmin
from backoffice.log import ChangeAdmin
from backoffice.imports import ImportAdmin
# isort: on

__all__ = ["ChangeAdmin", "CustomerAdmin", "ImportAdmin", "SiteAdmin"]
