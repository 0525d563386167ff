"""The models of customers, sites, the journal and imports."""

from hierarchy.models.change import ACTIONS, SOURCES, Change, ChangeCounter, ChangeQuerySet
from hierarchy.models.customer import Customer
from hierarchy.models.imports import Import, ImportPlan, ImportPlanQuerySet
from hierarchy.models.mark import Mark
from hierarchy.models.site import GroupType, Site

__all__ = [
    "ACTIONS",
    "SOURCES",
    "Change",
    "ChangeCounter",
    "ChangeQuerySet",
    "Customer",
    "GroupType",
    "Import",
    "ImportPlan",
    "ImportPlanQuerySet",
    "Mark",
    "Site",
]
