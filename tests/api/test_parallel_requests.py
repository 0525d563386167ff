"""Equal requests at the same moment: of those that name a version one is done, of those that may be done once one is.

Eight POSTs with one `Idempotency-Key` are in `tests/operators/test_idempotency.py`.
"""

import json

import pytest

from hierarchy.models import Change
from tests.client import Api
from tests.threads import at_once

CHANGES = {
    "/sites/{east.pk}": {"costName": "Port"},
    "/chargers/QUAY-1": {"city": "Delft"},
    "/chargers/QUAY-1/sockets/2": {"name": "Right"},
    "/drivers/{dora.pk}?view=flat": {"payerId": 7},
    "/tags/{dora_fob.pk}": {"tokenName": "Ring"},
    "/operators/{nell.pk}": {"name": "Nelly"},
}


@pytest.mark.django_db(transaction=True)
def test_of_eight_changes_of_one_version_one_is_made(world):
    apis = [Api(world.ada) for _client in range(8)]
    # The first use of a key is noted, which is a write of its own.
    assert {api.get("/me").status_code for api in apis} == {200}
    before = Change.objects.count()
    for address, change in CHANGES.items():
        path = address.format(**vars(world))
        tag = apis[0].get(path).headers["ETag"]
        body = json.dumps(change).encode()
        changes = [
            lambda api=api: api.request("patch", path.partition("?")[0], body, if_match=tag)  # noqa: B023
            for api in apis
        ]
        answers = at_once(*changes)
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7, address
        (made,) = [answer for answer in answers if answer.status_code == 200]
        assert made.headers["ETag"] != tag
        assert apis[1].get(path).data == made.data
    assert Change.objects.count() == before + len(CHANGES)


@pytest.mark.django_db(transaction=True)
def test_of_eight_objects_of_one_name_one_is_made(world):
    apis = [Api(world.ada) for _client in range(8)]
    assert {api.get("/me").status_code for api in apis} == {200}
    for path, body in {
        "/sites": {"groupName": "New", "parentId": world.west.pk},
        "/chargers": {"chargerId": "NEW-1", "groupId": world.west.pk},
        "/tags": {"idTag": "0000BEEF", "driverId": world.dora.pk},
    }.items():
        answers = at_once(*(lambda api=api, path=path, body=body: api.post(path, body) for api in apis))
        codes = [answer.status_code for answer in answers]
        assert codes.count(201) == 1
        assert set(codes) <= {201, 400, 409}, path
        for answer in answers:
            assert answer.status_code == 201 or answer.data["detail"]
