"""The demo shows every documented value both filled and empty."""

import json

import pytest
from django.core.management import call_command

from api.rendering import stream
from drivers.documents import driver_tree
from hierarchy.documents import site_tree
from hierarchy.models import Customer
from hierarchy.scoping import Scope
from operators.documents import operator_tree
from tests import contract

# Values that are never empty by their nature: ids, names that are required, numbers, booleans, statuses, and the
# lists of a group that only holds others.
ALWAYS_FILLED = {"int", "positive", "bool", "status", "referenceType", "location"}
REQUIRED_TEXTS = {
    "site.groupName",
    "charger.chargerId",
    "charger.groupName",
    "configuration.configName",
    "tag.idTag",
    "driver.name",
    "externalId.referenceId",
    "externalId.externalId",
    "operator.name",
    "operator.operatorId",
    "operator.emailAddress",
    "colleague.name",
    "colleague.operatorId",
    "colleague.emailAddress",
    "colleague.homeGroupName",
    "authorisedSite.groupName",
    "operatorGroup.groupName",
    "userGroup.groupName",
    "operatorTree.operatorGroups",
    "operatorTree.spareOperators",
    "userTree.userGroups",
    "userTree.spareUsers",
}
COUNTS = {"site.onlineSocket", "site.offlineSocket", "site.errorSocket"}


@pytest.mark.django_db
def test_every_documented_value_is_filled_somewhere_and_empty_somewhere():
    call_command("seed_demo", verbosity=0)
    seen = set()
    for customer in Customer.objects.all():
        scope = Scope.whole_customer(customer.pk)
        for kind, pieces in (
            ("[site]", site_tree(scope)),
            ("userTree", driver_tree(scope)),
            ("operatorTree", operator_tree(scope, with_hierarchy=True)),
        ):
            contract.check(kind, json.loads(b"".join(stream(pieces))), seen=seen)
    kinds = contract.OBJECTS.keys() - {"outline", "authorisedUsers"}
    fields = {f"{kind}.{key}": inner for kind in kinds for key, inner in contract.OBJECTS[kind].items()}
    never_filled = {field for field, inner in fields.items() if (field, "filled") not in seen and inner != "[nothing]"}
    assert not never_filled, never_filled
    may_be_empty = {field for field, inner in fields.items() if inner not in ALWAYS_FILLED} - REQUIRED_TEXTS - COUNTS
    never_empty = {field for field in may_be_empty if (field, "empty") not in seen}
    assert not never_empty, never_empty
