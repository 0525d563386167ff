"""POST /webhooks/{webhookId}/replay: bodies that are not as described."""

from tests.client import Api, assert_problem


def test_wrong_bodies_are_refused(world):
    api = Api(world.ada)
    webhook = api.post("/webhooks", {"name": "ERP", "url": "https://erp.example.org/hooks"}).data
    path = f"/webhooks/{webhook['id']}/replay"
    assert api.post(path, {"since": 0}).status_code == 200
    for body in ([], [{"since": 0}], {}, {"since": -1}, {"since": 1.0}, {"since": 2**63}, {"since": None}):
        assert_problem(api.post(path, body), 400, "Errors in the body request")
    # What the journal has not reached is said as everything else is.
    beyond = api.post(path, {"since": 10**9}).data
    (error,) = beyond["errors"]
    assert (error["pointer"], error["code"]) == ("/since", "since")
    assert beyond["detail"] == f"/since: {error['detail']}" and "Must be from 0 to" in error["detail"]
