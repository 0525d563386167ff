"""API keys and the admin's session: who gets into the API, and who may make, change and end keys."""

import datetime
import json
import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from api.errors import NotAuthorised
from hierarchy import services as hierarchy_services
from hierarchy.errors import Conflict, NotFound, NotPermitted
from hierarchy.models import Change, Site
from hierarchy.request_context import context_of
from hierarchy.scoping import Caller, Scope
from operators import keys, services
from operators.authentication import ApiKeyAuthentication
from operators.models import ApiKey, Operator, SiteGrant

TREE = "/api/v1/sites/tree"
COMMAND = Caller(Scope.platform(), "tests", "command")
UNKNOWN_KEY = "ctk_" + "A" * 32


def signed_in(operator, source="admin"):
    return Caller(operator.scope(), operator.email, source)


def key_of(operator, **values):
    return services.api_key_create(COMMAND, operator, "Tests", **values)


def get(text, client=None):
    return (client or Client()).get(TREE, headers={"X-API-Key": text})


def site_names(response):
    return [site["groupName"] for site in json.loads(response.getvalue())]


def authenticated(text):
    """The caller whom the key makes of a request."""
    request = Request(RequestFactory().get(TREE, headers={"X-API-Key": text}))
    operator, auth = ApiKeyAuthentication().authenticate(request)
    assert auth.operator == operator
    return context_of(request._request).caller


def test_it_works(world):
    _key, text = key_of(world.ada)
    response = get(text)
    assert response.status_code == 200
    assert site_names(response) == ["Airport", "Harbour"]


def test_a_key_costs_one_statement_and_grants_a_second(world, django_assert_num_queries):
    for operator, statements in ((world.ada, 1), (world.rob, 2)):
        _key, text = key_of(operator)
        authenticated(text)  # notes the use
        # 1: the key with its operator and customer; 2: the grants of a restricted operator.
        with django_assert_num_queries(statements):
            authenticated(text)


def test_a_key_acts_as_its_operator(world):
    _key, text = key_of(world.rob)
    caller = authenticated(text)
    assert caller.scope == world.rob.scope()
    assert (caller.label, caller.source) == (world.rob.email, "api")
    assert site_names(get(text)) == ["East car park"]


def test_the_caller_carries_the_request_id(world):
    _key, text = key_of(world.ada)
    response = Client().get(TREE, headers={"X-API-Key": text, "X-Request-ID": "from-outside"})
    assert response.headers["X-Request-ID"] == "from-outside"


# Making keys


def test_a_key_is_random_and_recognisable():
    texts = {keys.new_key() for _number in range(100)}
    assert len(texts) == 100
    assert all(keys.is_key(text) and text.startswith("ctk_") and len(text) == 36 for text in texts)
    # 28 characters that are never shown, of 62 kinds: more than 160 bits.
    assert 62 ** (36 - keys.HINT_LENGTH) > 2**160


def test_the_key_is_stored_nowhere(world, caplog):
    caplog.set_level("DEBUG")
    key, text = key_of(world.ada)
    get(text)
    services.api_key_rotate(COMMAND, ApiKey.objects.get(pk=key.pk))
    stored = [str(row) for row in ApiKey._base_manager.values_list()] + [str(row) for row in Change.objects.values()]
    assert key.hint == text[:8]
    for piece in (text, text[4:], key.digest):
        assert not any(piece in row for row in [*stored[1:], caplog.text])
    assert text not in stored[0]


def test_the_pepper_decides(world, settings):
    _key, text = key_of(world.ada)
    settings.API_KEY_PEPPER = "another pepper " * 5
    assert get(text).status_code == 401


def test_expiry_must_lie_ahead(world):
    with pytest.raises(ValidationError, match="past"):
        key_of(world.ada, expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "x" * 256])
def test_a_key_needs_a_proper_name(world, name):
    with pytest.raises(ValidationError) as error:
        services.api_key_create(COMMAND, world.ada, name)
    assert "name" in error.value.error_dict
    assert not ApiKey.objects.exists()


# Who does not get in


def refused(response):
    problem = response.json()
    return (response.status_code, problem["title"], problem["detail"], response.headers["WWW-Authenticate"])


SENTENCE = "Customer not found or not authorised"
REFUSED = (401, SENTENCE, SENTENCE, 'ApiKey realm="Chargetree"')


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "ctk_", "ctk_" + "é" * 32, UNKNOWN_KEY + "A", UNKNOWN_KEY + "\n", " " + UNKNOWN_KEY, "\x00" * 36,
     UNKNOWN_KEY.upper(), "ctk_" + "A" * 100_000, "ctk_" + "１" * 32, "' OR 1=1 --", "ctk_" + "\ud800" * 32],
    ids=lambda text: ascii(text)[:24],
)  # fmt: skip
def test_malformed_keys_are_refused_without_a_look(world, text, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert refused(get(text)) == REFUSED


def test_every_other_failure_reads_the_same(world):
    assert refused(Client().get(TREE)) == REFUSED
    assert refused(get(UNKNOWN_KEY)) == REFUSED

    key, text = key_of(world.ada)
    assert refused(get(key.digest)) == REFUSED
    assert refused(get(f"{text},{text}")) == REFUSED
    assert refused(Client().get(f"{TREE}?X-API-Key={text}")) == REFUSED
    assert refused(Client().get(TREE, headers={"Authorization": f"Bearer {text}"})) == REFUSED

    services.api_key_revoke(COMMAND, key)
    assert refused(get(text)) == REFUSED

    key, text = key_of(world.sue, expires_at=timezone.now() + datetime.timedelta(hours=1))
    assert get(text).status_code == 200
    ApiKey._base_manager.filter(pk=key.pk).update(expires_at=timezone.now())
    assert refused(get(text)) == REFUSED


def test_platform_staff_have_no_keys(world):
    with pytest.raises(ValidationError, match="Platform staff"):
        key_of(world.pat)
    ApiKey._base_manager.create(operator=world.pat, name="Forged", digest=keys.digest(UNKNOWN_KEY))
    assert refused(get(UNKNOWN_KEY)) == REFUSED


def test_plain_text_is_the_bare_sentence(world):
    response = Client().get(TREE, headers={"X-API-Key": UNKNOWN_KEY, "Accept": "text/plain"})
    assert (response.status_code, response.content.decode()) == (401, SENTENCE)


# What acts on the next request


def test_disabling_an_operator_acts_on_the_next_request(world):
    _key, text = key_of(world.rob)
    assert get(text).status_code == 200
    rob = Operator.objects.get(pk=world.rob.pk)
    rob.is_active = False
    hierarchy_services.save(COMMAND, rob)
    assert refused(get(text)) == REFUSED


def test_a_withdrawn_grant_acts_on_the_next_request(world):
    _key, text = key_of(world.rob)
    assert site_names(get(text)) == ["East car park"]
    hierarchy_services.delete(COMMAND, SiteGrant.objects.get(operator=world.rob))
    assert site_names(get(text)) == []


def test_a_rotated_key_opens_with_the_new_text_only(world):
    key, old = key_of(world.ada)
    key, new = services.api_key_rotate(COMMAND, key)
    assert get(old).status_code == 401
    assert get(new).status_code == 200
    assert key.hint == new[:8]


def test_a_revoked_or_expired_key_is_not_rotated(world):
    key, _text = key_of(world.ada)
    services.api_key_revoke(COMMAND, key)
    with pytest.raises(Conflict, match="Create a new key"):
        services.api_key_rotate(COMMAND, key)


def test_revoking_again_keeps_the_first_moment(world):
    key, _text = key_of(world.ada)
    first = services.api_key_revoke(COMMAND, key).revoked_at
    assert services.api_key_revoke(COMMAND, key).revoked_at == first
    assert Change.objects.filter(object_type="apikey").count() == 2


def test_two_who_rotate_at_once_do_not_both_believe_it(world):
    key, _text = key_of(world.ada)
    stale = ApiKey.objects.get(pk=key.pk)
    services.api_key_rotate(COMMAND, key)
    with pytest.raises(Conflict):
        services.api_key_rotate(COMMAND, stale)


def test_a_read_only_key_writes_nothing(world):
    _key, text = key_of(world.ada, is_read_only=True)
    caller = authenticated(text)
    assert caller.scope.is_read_only
    with pytest.raises(NotPermitted):
        hierarchy_services.save(caller, Site(customer=world.northwind, name="New"))


# The use of a key


def used(key):
    return ApiKey.objects.get(pk=key.pk).last_used_at


def test_use_is_noted_at_most_once_a_minute(world):
    key, text = key_of(world.ada)
    get(text)
    first = used(key)
    assert timezone.now() - first < datetime.timedelta(seconds=30)
    get(text)
    assert used(key) == first
    earlier = first - datetime.timedelta(seconds=61)
    ApiKey._base_manager.filter(pk=key.pk).update(last_used_at=earlier)
    get(text)
    assert used(key) > earlier
    assert key.version == ApiKey.objects.get(pk=key.pk).version
    assert Change.objects.filter(object_type="apikey").count() == 1


def test_a_refused_key_is_not_noted(world):
    key, text = key_of(world.ada)
    services.api_key_revoke(COMMAND, key)
    get(text)
    assert used(key) is None


@pytest.mark.django_db(transaction=True)
def test_a_read_never_waits_for_a_writer_to_note_its_use(transactional_db, world):
    key, text = key_of(world.ada)
    held, done = threading.Event(), threading.Event()

    def write():
        try:
            with transaction.atomic():
                ApiKey._base_manager.filter(pk=key.pk).update(name="Held")
                held.set()
                done.wait(20)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert held.wait(20)
        begin = time.monotonic()
        assert get(text).status_code == 200
        assert time.monotonic() - begin < 5
    finally:
        done.set()
        writer.join()
    assert used(key) is None
    assert get(text).status_code == 200
    assert used(key) is not None


def test_patience_with_other_writers_is_restored(world):
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite has a patience of this kind.")
    _key, text = key_of(world.ada)
    authenticated(text)
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (30_000,)


def test_a_database_that_cannot_be_written_does_not_stop_reads(world, monkeypatch):
    key, text = key_of(world.ada)

    def fail(*args, **kwargs):
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", fail)
    assert get(text).status_code == 200
    monkeypatch.undo()
    assert used(key) is None


# The admin's session


def test_the_session_of_an_operator_opens_the_api(world):
    client = Client()
    client.force_login(world.rob)
    assert site_names(client.get(TREE)) == ["East car park"]


def test_the_session_of_platform_staff_does_not(world):
    client = Client()
    client.force_login(world.pat)
    assert refused(client.get(TREE)) == REFUSED


def test_a_given_key_decides_whatever_the_session(world):
    client = Client()
    client.force_login(world.ada)
    assert refused(get(UNKNOWN_KEY, client)) == REFUSED
    assert refused(get("", client)) == REFUSED
    _key, text = key_of(world.sue)
    assert site_names(get(text, client)) == ["Depot"]


def test_a_session_ends_with_the_operator_or_the_password(world):
    client = Client()
    client.force_login(world.ada)
    assert client.get(TREE).status_code == 200
    services.operator_set_password(COMMAND, Operator.objects.get(pk=world.ada.pk), "another good password")
    assert refused(client.get(TREE)) == REFUSED


def test_a_session_writes_with_a_csrf_token_only(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ada)
    assert client.get(TREE).status_code == 200
    response = client.post(TREE, data="{}", content_type="application/json")
    assert (response.status_code, response.json()["title"]) == (403, "Not permitted")
    _key, text = key_of(world.ada)
    response = client.post(TREE, data="{}", content_type="application/json", headers={"X-API-Key": text})
    assert response.status_code == 405


# Who may make and change keys


def test_an_admin_operator_makes_keys_for_everybody_of_the_customer(world):
    key, text = services.api_key_create(signed_in(world.ada), world.rob, "For Rob")
    assert site_names(get(text)) == ["East car park"]
    assert Change.objects.get(object_id=key.pk, object_type="apikey").actor_id == world.ada.pk


@pytest.mark.parametrize("who", ["rob", "nell"])
def test_everybody_makes_rotates_and_revokes_the_own_keys(world, who):
    """Nell too, who sees nothing and nobody."""
    operator = getattr(world, who)
    key, text = services.api_key_create(signed_in(operator), operator, "Mine")
    assert get(text).status_code == 200
    key, text = services.api_key_rotate(signed_in(operator), key)
    services.api_key_revoke(signed_in(operator), key)
    assert get(text).status_code == 401


def test_nobody_else_touches_a_key(world):
    key, _text = key_of(world.ada)
    for change in (services.api_key_rotate, services.api_key_revoke):
        with pytest.raises(NotFound):
            change(signed_in(world.sue), ApiKey.objects.get(pk=key.pk))
        with pytest.raises((NotFound, NotPermitted)):
            change(signed_in(world.rob), ApiKey.objects.get(pk=key.pk))
    for caller, operator in ((world.sue, world.ada), (world.rob, world.ada), (world.rob, world.nell)):
        with pytest.raises((NotFound, NotPermitted, ValidationError)):
            services.api_key_create(signed_in(caller), operator, "Not mine")
    # Rob sees a colleague who is at home in his car park; the colleague's keys are none of his business.
    world.nell.home_site = world.garage
    world.nell.save()
    with pytest.raises(NotPermitted):
        services.api_key_create(signed_in(world.rob), world.nell, "Not mine")
    assert list(ApiKey.objects.values_list("pk", "version")) == [(key.pk, 1)]


def test_a_key_never_makes_or_changes_keys_and_passwords(world):
    key, text = key_of(world.ada)
    caller = authenticated(text)
    for attempt in (
        lambda: services.api_key_create(caller, world.ada, "Offspring"),
        lambda: services.api_key_rotate(caller, key),
        lambda: services.api_key_revoke(caller, key),
        lambda: services.operator_set_password(caller, world.rob, "another good password"),
        lambda: services.operator_create(
            caller, Operator(customer=world.northwind, email="x@northwind.example", name="X"), "another good password"
        ),
    ):
        with pytest.raises(NotPermitted, match="not with an API key"):
            attempt()


# Passwords


@pytest.mark.parametrize(
    "password", ["short", "1234567890123", "password123", "rob@northwind.example", "nul\x00 here ok"]
)
def test_weak_passwords_are_refused(world, password):
    before = Operator.objects.get(pk=world.rob.pk).password
    with pytest.raises(ValidationError) as error:
        services.operator_set_password(signed_in(world.ada), world.rob, password)
    assert "password" in error.value.error_dict
    assert Operator.objects.get(pk=world.rob.pk).password == before


def test_everybody_changes_the_own_password_and_nothing_else(world):
    rob = Operator.objects.get(pk=world.rob.pk)
    rob.is_admin_operator = True
    services.operator_set_password(signed_in(world.rob), rob, "another good password")
    assert rob.check_password("another good password")
    rob = Operator.objects.get(pk=world.rob.pk)
    assert rob.check_password("another good password")
    assert not rob.is_admin_operator
    change = Change.objects.filter(object_type="operator", object_id=rob.pk).first()
    assert (change.actor_id, change.fields) == (rob.pk, {"password": ["***", "***"]})


def test_a_restricted_operator_does_not_set_the_password_of_a_stranger(world):
    for stranger in (world.ada, world.nell, world.sue, world.pat):
        with pytest.raises((NotFound, NotPermitted)):
            services.operator_set_password(signed_in(world.rob), stranger, "another good password")


def test_a_key_made_by_command_opens_the_api(world, capsys):
    call_command("create_api_key", world.ada.email, "--name", "Command")
    assert get(capsys.readouterr().out.strip()).status_code == 200


def test_authentication_never_lets_a_caller_through_by_accident(world):
    request = Request(RequestFactory().get(TREE))
    assert ApiKeyAuthentication().authenticate(request) is None
    with pytest.raises(NotAuthorised):
        authenticated(UNKNOWN_KEY)
