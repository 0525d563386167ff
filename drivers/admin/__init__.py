"""The admin of drivers, tags, rights and external IDs."""

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
