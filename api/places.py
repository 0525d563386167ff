"""The parameters of lists that say where in the tree of sites the objects lie."""

from typing import Any

from django.utils.translation import gettext as _

from api.lists import Parameter
from api.parameters import row_id, wrong
from hierarchy.models import Site
from hierarchy.scoping import Scoped


class PlaceParameter(Parameter):
    """A site by its id; one that the caller does not see is an error."""

    def __init__(self, name: str, path: str, description: str, with_subsites: bool) -> None:
        super().__init__(lambda text: row_id(name, text), description, schema={"type": "integer", "format": "int64"})
        self.name = name
        self.path = path
        self.with_subsites = with_subsites

    def filter(self, rows: Any, value: tuple[int] | None) -> Any:
        if value is None:
            return rows
        sites = Site.objects.visible_to(self.parent.scope)
        site = sites.filter(pk=value[0]).first()
        if site is None:
            raise wrong(self.name, "unknown", _("Is unknown: choose one that you can see."))
        if not self.with_subsites:
            return rows.filter(**{self.path: site.pk})
        return rows.filter(**{f"{self.path}__in": sites.at_or_below(site).order_by().values("pk")})


def place_parameters(model: type[Scoped]) -> dict[str, Parameter]:
    """The parameters by which rows of `model` are found that lie at one site."""
    if model is Site:
        return {"siteTree": PlaceParameter("siteTree", "pk", "Only this site and all below it.", True)}
    if len(model.rules.sites) != 1:
        return {}
    path = model.rules.sites[0]
    return {
        "site": PlaceParameter("site", path, "Only what lies at this site.", False),
        "siteTree": PlaceParameter("siteTree", path, "Only what lies at this site or below it.", True),
    }
