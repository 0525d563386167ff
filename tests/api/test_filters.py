"""The FilterSets of flat lists and the OpenAPI document: they say the same, and it is true."""

from urllib.parse import quote, urlencode

import pytest
from django.http import QueryDict
from django_filters import BaseInFilter, FilterSet

from api.filters import DescribedFilter, FlatFilterSet, filter_set, place_filters
from api.resources import ReadOnlyCollection
from chargers.flat import FlatChargerSerializer
from chargers.models import Charger
from config.urls import api_patterns
from hierarchy.scoping import Scope
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.openapi import described, resolved

PAGING = {"limit", "cursor", "fields"}


def collections():
    """The lists by their paths."""
    views = {f"/api/v1/{one.pattern}".replace("<str:", "{").replace(">", "}"): one.callback for one in api_patterns}
    kinds = {path: getattr(view, "cls", None) for path, view in views.items()}
    return {path: kind for path, kind in kinds.items() if kind and issubclass(kind, ReadOnlyCollection)}


LISTS = collections()


@pytest.fixture(scope="module")
def document(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return described()


def queries(document, path):
    parameters = [resolved(document, one) for one in document["paths"][path]["get"]["parameters"]]
    return {one["name"]: one for one in parameters if one["in"] == "query"}


def test_every_list_is_looked_at(document):
    assert set(LISTS) == {path for path, operations in document["paths"].items() if "fields" in names(operations)}


def names(operations):
    return {one.get("name") for one in operations.get("get", {}).get("parameters", [])}


@pytest.mark.parametrize("path", LISTS)
def test_the_document_describes_the_filter_set(document, path):
    filters = LISTS[path].listing().filters
    parameters = queries(document, path)
    assert issubclass(filters, FilterSet)
    assert set(parameters) == {*filters.base_filters, *PAGING}
    for name, one in filters.base_filters.items():
        assert parameters[name]["schema"] == one.schema, name
        assert parameters[name]["description"] == one.extra["help_text"], name
        is_array = parameters[name]["schema"].get("type") == "array"
        assert isinstance(one, BaseInFilter) == name.endswith("__in")
        assert is_array == (name.endswith("__in") or name == "ordering")
        assert parameters[name].get("explode", True) == (not is_array)


def value(schema):
    """A value that a schema lets in."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return value(schema["anyOf"][0])
    if schema.get("format") == "date-time":
        return "2026-06-01T12:00:00Z"
    if schema.get("format") == "date":
        return "2026-06-01"
    return {"integer": "1", "number": "1.5", "boolean": "true", "string": "x"}[schema["type"]]


@pytest.mark.parametrize("path", LISTS)
def test_what_the_document_offers_is_taken(world, document, path):
    api = Api(world.ada)
    route = path.removeprefix("/api/v1").format(chargerId="QUAY-1", userId=world.dora.pk, id=world.rob.pk)
    places = {"site": world.harbour.pk, "siteTree": world.harbour.pk}
    for name, parameter in queries(document, path).items():
        schema = parameter["schema"]
        if name == "cursor":
            continue
        if schema.get("type") == "array":
            choices = schema["items"].get("enum", [])
            two = [choices[0], choices[2]] if len(choices) > 2 else [value(schema["items"])] * 2
            by_comma = api.get(f"{route}?{name}={quote(','.join(map(str, two)))}")
            repeated = api.get(f"{route}?{urlencode([(name, one) for one in two])}")
            assert by_comma.status_code == repeated.status_code == 200, (name, by_comma.body)
            assert by_comma.data["items"] == repeated.data["items"], name
        else:
            one = {name: places.get(name, value(schema))}
            response = api.get(f"{route}?{urlencode(one)}")
            assert response.status_code == 200, (name, response.body)
            assert_problem(api.get(f"{route}?{urlencode([*one.items()] * 2)}"), 400, BAD_ROUTE)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("chargerId__in=QUAY-1&chargerId__in=AIR-1", ["QUAY-1", "AIR-1"]),
        ("chargerId__in=QUAY-1,GAR-1&chargerId__in=air-1", ["QUAY-1", "GAR-1", "AIR-1"]),
        ("city__in=Utrecht&city__in=null&chargerId__in=QUAY-1&chargerId__in=GAR-1", ["QUAY-1", "GAR-1"]),
        ("ordering=city&ordering=-chargerId", ["QUAY-1", "GAR-2", "GAR-1", "AIR-1"]),
    ],
)
def test_a_list_may_be_repeated(world, query, found):
    assert [item["chargerId"] for item in Api(world.ada).get(f"/chargers?{query}").data["items"]] == found


def test_pages_of_repeated_parameters(world):
    api = Api(world.ada)
    first = api.get("/chargers?limit=1&chargerId__in=QUAY-1&chargerId__in=AIR-1").data
    second = api.get(first["next"].partition("/api/v1")[2]).data
    assert [item["chargerId"] for item in first["items"] + second["items"]] == ["QUAY-1", "AIR-1"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("id__in=1&id__in=x", "invalid"),
        ("id__in=1&id__in=", "invalid"),
        ("ordering=city&ordering=-city", "repeated"),
        ("fields=city&fields=colour", "unknown"),
        ("city=Utrecht&city=Delft", "repeated"),
        ("search=a&search=b", "repeated"),
    ],
)
def test_what_is_wrong_with_repeated_ones(world, query, code):
    response = Api(world.ada).get(f"/chargers?{query}")
    assert_problem(response, 400, BAD_ROUTE)
    [error] = response.data["errors"]
    assert (error["pointer"], error["code"]) == (query.partition("=")[0], code)


class DeclaredFilters(FlatFilterSet):
    """One filter that no key has, and one otherwise than the key's."""

    unnamed = DescribedFilter("name", "exact", {"type": "string"}, help_text="Only with this name as it is.")
    city = DescribedFilter("city", "startswith", {"type": "string"}, help_text="Only in cities that begin so.")


def test_filters_declared_by_hand_go_before_those_of_keys(world):
    filters = filter_set(FlatChargerSerializer, DeclaredFilters, place_filters(Charger))
    usual = filter_set(FlatChargerSerializer, FlatFilterSet, place_filters(Charger))
    assert set(filters.base_filters) == {*usual.base_filters, "unnamed"}
    assert [one.description for one in filters.described() if one.name == "city"] == ["Only in cities that begin so."]
    scope = Scope.whole_customer(world.northwind.pk)
    for query, found in (("city=Utr", ["QUAY-1"]), ("unnamed=Gate A", ["AIR-1"]), ("city=Utr&unnamed=Gate A", [])):
        asked = filters(QueryDict(query), Charger.objects.visible_to(scope), scope)
        assert not asked.field_errors()
        assert [charger.charger_id for charger in asked.qs] == found


def test_a_request_pays_for_what_it_asks(world):
    """A form of all filters costs more than reading the page."""
    filters = LISTS["/api/v1/chargers"].listing().filters
    scope = Scope.whole_customer(world.northwind.pk)
    asked = filters(QueryDict("city=Delft&limit=1"), Charger.objects.visible_to(scope), scope)
    assert list(asked.form.fields) == ["city"] and len(filters.base_filters) > 50
