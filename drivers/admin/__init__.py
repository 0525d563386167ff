"""The admin's pages of drivers, tags, rights and external ids."""

from drivers.admin import consequences
from drivers.admin.pages import (
    ChargerRightAdmin,
    DriverAdmin,
    IntegratedExternalIdAdmin,
    SiteRightAdmin,
    TagAdmin,
)

__all__ = [
    "ChargerRightAdmin",
    "DriverAdmin",
    "IntegratedExternalIdAdmin",
    "SiteRightAdmin",
    "TagAdmin",
    "consequences",
]
