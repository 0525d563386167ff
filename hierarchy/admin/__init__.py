"""The admin's pages of customers, sites and the journal, and the base that all other pages stand on."""

from hierarchy.admin.pages import ChangeAdmin, CustomerAdmin, SiteAdmin

__all__ = ["ChangeAdmin", "CustomerAdmin", "SiteAdmin"]
