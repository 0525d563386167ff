"""The admin's pages of customers, sites, the journal and imports, and the base that all other pages stand on."""

from hierarchy.admin.imports import ImportAdmin
from hierarchy.admin.pages import ChangeAdmin, CustomerAdmin, SiteAdmin

__all__ = ["ChangeAdmin", "CustomerAdmin", "ImportAdmin", "SiteAdmin"]
