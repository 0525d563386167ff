"""What each caller sees of each kind of row: as a naive reading of the rule has it, on random networks."""

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import scoping
from hierarchy.models import Change, Customer, Import, ImportPlan, Site
from hierarchy.scoping import Scope, Scoped
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from tests.conftest import made
from tests.networks import RandomNetwork, share

pytestmark = pytest.mark.django_db

APPS = ("hierarchy", "chargers", "drivers", "operators")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
# Not read by anybody: a number on which the journal locks, marks of what was reported, what a webhook told, and answers
# that may come again.
NOT_SCOPED = {"Attempts", "ChangeCounter", "Mark", "IdempotentRequest", "ToldStatus"}

# The customer of a row, and the sites that a restricted operator must see to see it.
RULES = {
    Customer: (lambda row: row.pk, None),
    Site: (lambda row: row.customer_id, lambda row: [row.pk]),
    Charger: (lambda row: row.customer_id, lambda row: [row.site_id]),
    Socket: (lambda row: row.charger.customer_id, lambda row: [row.charger.site_id]),
    ChargerConfiguration: (lambda row: row.charger.customer_id, lambda row: [row.charger.site_id]),
    Driver: (lambda row: row.customer_id, lambda row: [row.home_site_id]),
    Tag: (lambda row: row.customer_id, lambda row: [row.driver.home_site_id]),
    SiteRight: (lambda row: row.customer_id, lambda row: [row.site_id, row.driver.home_site_id]),
    ChargerRight: (lambda row: row.customer_id, lambda row: [row.charger.site_id, row.driver.home_site_id]),
    IntegratedExternalId: (lambda row: row.driver.customer_id, lambda row: [row.driver.home_site_id]),
    Operator: (lambda row: row.customer_id, lambda row: [row.home_site_id]),
    SiteGrant: (lambda row: row.customer_id, lambda row: [row.site_id, row.operator.home_site_id]),
    ApiKey: (lambda row: row.operator.customer_id, None),
    Webhook: (lambda row: row.operator.customer_id, None),
    Change: (lambda row: row.customer_id, None),
    Import: (lambda row: row.customer_id, None),
    ImportPlan: (lambda row: row.customer_id, None),
}


class NaiveSight:
    """What an operator sees, with a loop over the parents and a grant at a time."""

    def __init__(self, operator):
        self.operator = operator
        self.parents = dict(Site._base_manager.values_list("pk", "parent_id"))
        self.granted = {grant.site_id for grant in operator.grants.all()}

    def sees_site(self, site_id):
        while site_id is not None:
            if site_id in self.granted:
                return True
            site_id = self.parents[site_id]
        return False

    def sees(self, row):
        operator = self.operator
        if not operator.is_active:
            return False
        if isinstance(row, ImportPlan):
            return row.operator_id == operator.pk
        if operator.is_superuser:
            return True
        customer_of, sites_of = RULES[type(row)]
        if customer_of(row) != operator.customer_id:
            return False
        if operator.is_admin_operator:
            return True
        if sites_of is None:
            return row.pk == operator.customer_id if isinstance(row, Customer) else row.operator_id == operator.pk
        return all(self.sees_site(site_id) for site_id in sites_of(row))


def seen(model, scope):
    return set(model.objects.visible_to(scope).values_list("pk", flat=True))


def test_every_model_is_scoped():
    assert {model.__name__ for model in MODELS if not issubclass(model, Scoped)} == NOT_SCOPED
    assert set(RULES) == {model for model in MODELS if issubclass(model, Scoped)}


@pytest.mark.parametrize("seed", share(range(0, 40, 2)))
def test_everybody_sees_what_the_rule_says(seed):
    networks = [RandomNetwork(seed), RandomNetwork(seed + 1)]
    operators = [operator for network in networks for operator in network.operators]
    for operator in operators:
        ApiKey._base_manager.create(operator=operator, name="Key", hint="ctk_", digest=str(operator.pk))
        Webhook._base_manager.create(operator=operator, name="Hook", url="https://hook.example/")
        for model in (Import, ImportPlan):
            model._base_manager.create(customer=operator.customer, operator_id=operator.pk, file_name="x", sha256="")
    disabled = networks[0].operators[0]
    Operator._base_manager.filter(pk=disabled.pk).update(is_active=False)
    operators.append(made(Operator, email="pat@platform.example", name="Pat", is_superuser=True))
    rows = {model: list(model._base_manager.all()) for model in RULES if model is not Change}
    for operator in Operator._base_manager.filter(pk__in=[operator.pk for operator in operators]):
        naive = NaiveSight(operator)
        for model, candidates in rows.items():
            expected = {row.pk for row in candidates if naive.sees(row)}
            assert seen(model, operator.scope()) == expected, f"{model.__name__} as {operator}"


def test_who_has_no_scope_sees_nothing(world):
    closed = [
        None,
        "admin",
        True,
        AnonymousUser(),
        world.ada,
        Scope(customer_id=None),
        Scope(customer_id=None, is_admin=True),
        Scope(customer_id=None, root_ids=frozenset({world.harbour.pk})),
        Scope(customer_id=10**9, is_admin=True),
    ]
    for model in RULES:
        for scope in closed:
            assert not model.objects.visible_to(scope).exists(), (model, scope)


def test_who_has_no_grant_sees_nothing_but_the_customer(world):
    for model in set(RULES) - {Customer}:
        assert not model.objects.visible_to(world.nell.scope()).exists(), model
    assert list(Customer.objects.visible_to(world.nell.scope())) == [world.northwind]


def test_a_grant_of_another_customers_site_shows_nothing(world):
    """It cannot be stored; a scope that says so all the same opens nothing."""
    scope = Scope(customer_id=world.northwind.pk, root_ids=frozenset({world.depot.pk}))
    for model in set(RULES) - {Customer}:
        assert not model.objects.visible_to(scope).exists(), model


def test_a_scope_is_as_of_now(world):
    assert seen(Site, world.rob.scope()) == {world.east.pk, world.garage.pk}
    world.garage.move(world.airport)
    assert seen(Site, world.rob.scope()) == {world.east.pk}
    assert not seen(Driver, world.rob.scope())
    world.rob.is_active = False
    assert world.rob.scope() == Scope(customer_id=None)


def test_sight_is_one_statement_without_doubles(world, django_assert_num_queries):
    """Grants that overlap show nothing twice."""
    made(SiteGrant, operator=world.rob, site=world.harbour)
    made(SiteGrant, operator=world.rob, site=world.garage)
    scope = world.rob.scope()
    for model in RULES:
        with django_assert_num_queries(1):
            ids = list(model.objects.visible_to(scope).values_list("pk", flat=True))
        assert len(ids) == len(set(ids)), model


def test_a_model_that_says_nothing_is_seen_by_admins_only(world):
    class Note(Scoped):
        class Meta:
            app_label = "hierarchy"
            managed = False

    try:
        assert Note.in_subtrees(world.rob.scope()) == scoping.NOTHING
        assert Note.own_rows(world.rob.scope()) == scoping.NOTHING
    finally:
        del apps.all_models["hierarchy"]["note"]
        apps.clear_cache()


def test_what_is_not_scoped_is_seen_by_nobody():
    assert scoping.visibility(AnonymousUser, Scope.platform()) == scoping.NOTHING


def test_within_reads_the_rows_at_sites(world):
    east = Site.objects.at_or_below(world.east)
    assert set(Charger.objects.all().within(east)) == {world.gar_1, world.gar_2}
    assert set(Driver.objects.all().within(east)) == {world.dora}
    assert set(SiteRight.objects.all().within(Site.objects.at_or_below(world.harbour))) == {
        world.dora.site_rights.get()
    }
