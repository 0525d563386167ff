"""The contract's objects (section 4), written down a second time and independently, to hold answers against.

A kind is a text: a JSON type, `?` for nullable, `[...]` for a list. `check` walks a document and raises
AssertionError with the path of the first thing that is not as documented: a key missing, extra or out of order, a
wrong type, a null, a sentinel or a moment that is not in form.
"""

import re
from typing import Any

OBJECTS: dict[str, dict[str, str]] = {
    "site": {
        "onlineSocket": "int?",
        "offlineSocket": "int?",
        "errorSocket": "int?",
        "subgroups": "[site]",
        "chargers": "[charger]",
        "payerId": "int?",
        "costId": "string",
        "costName": "string",
        "paymentRecipientId": "int?",
        "id": "int",
        "groupName": "string",
        "groupType": "groupType?",
        "externalId": "string",
    },
    "outline": {"id": "int", "groupName": "string", "groupType": "groupType?", "subgroups": "[outline]"},
    "charger": {
        "id": "int",
        "chargerId": "string",
        "chargerName": "string",
        "groupId": "int",
        "groupName": "string",
        "firmwareVersion": "string?",
        "publicGroupName": "string?",
        "manufacturer": "string?",
        "serialNumber": "string?",
        "chargerModel": "string?",
        "amountOfSockets": "int",
        "lastSeen": "moment",
        "lastMessage": "string?",
        "activeConnection": "bool",
        "chargerStatus": "status",
        "locationInfo": "location",
        "pushIntegrationEnabled": "bool",
        "chargerSpecificMessageStructure": "bool",
        "chargerConfigurations": "[configuration]",
        "sockets": "[socket]",
        "evseId": "string",
        "splitEvseBySocket": "bool",
        "capabilities": "[string]",
        "physicalReference": "string?",
        "integrationRelays": "[string]",
        "iccid": "string?",
        "imsi": "string?",
        "meterSerialNumber": "string?",
        "meterType": "string?",
        "customProperties": "properties",
    },
    "location": {
        "latitude": "number?",
        "longitude": "number?",
        "streetAddress": "string?",
        "streetNumber": "string",
        "houseLetter": "string?",
        "postalNumber": "string",
        "city": "string?",
        "area": "string?",
        "country": "string?",
    },
    "configuration": {"configName": "string", "configValue": "string", "canBeChanged": "bool"},
    "socket": {
        "type": "string?",
        "maxPower": "string?",
        "status": "status",
        "id": "positive",
        "name": "string",
        "deviceEvseId": "int?",
        "deviceConnectorId": "int?",
        "format": "string?",
        "socketPowerType": "string?",
        "maxWatts": "int?",
        "maxVoltage": "int?",
        "maxAmperage": "int?",
        "phaseRotation": "string?",
        "termsAndConditions": "string?",
        "lastUpdated": "moment",
        "chargingStationEvseId": "int?",
    },
    "tag": {
        "id": "int",
        "idTag": "string",
        "expiringDate": "moment",
        "startDate": "moment?",
        "lastUpdated": "moment?",
        "tokenName": "string",
        "invoicable": "bool",
    },
    "driver": {
        "id": "int",
        "name": "string",
        "homeGroupId": "int",
        "homeGroupName": "string",
        "externalId": "string",
        "tags": "[tag]",
        "chargerGroups": "[site]",
        "chargers": "[charger]",
        "payerId": "int?",
        "integratedExternalIds": "[externalId]",
    },
    "externalId": {
        "referenceType": "referenceType",
        "referenceId": "string",
        "externalId": "string",
        "effectiveFrom": "moment?",
    },
    "userGroup": {
        "isSpare": "bool",
        "subgroups": "[userGroup]",
        "users": "[driver]",
        "id": "int",
        "groupName": "string",
        "groupType": "groupType?",
        "externalId": "string",
    },
    "operatorGroup": {
        "isSpare": "bool",
        "subgroups": "[operatorGroup]",
        "operators": "[operator]",
        "id": "int",
        "groupName": "string",
        "groupType": "groupType?",
        "externalId": "string",
    },
    "operator": {
        "id": "int",
        "name": "string",
        "operatorId": "string",
        "emailAddress": "string",
        "homeGroupId": "int",
        "homeGroupName": "string",
        "isAdminOperator": "bool",
        "groups": "[authorisedSite]",
    },
    "colleague": {
        "id": "int",
        "name": "string",
        "operatorId": "string",
        "emailAddress": "string",
        "homeGroupId": "int",
        "homeGroupName": "string",
        "isAdminOperator": "bool",
        "groups": "[nothing]",
    },
    "authorisedSite": {
        "subgroups": "[authorisedSite]",
        "operators": "[colleague]",
        "users": "[driver]",
        "chargers": "[charger]",
        "id": "int",
        "groupName": "string",
        "groupType": "groupType?",
        "externalId": "string",
    },
    "userTree": {"userGroups": "[userGroup]", "spareUsers": "[driver]"},
    "authorisedUsers": {"groupId": "int", "users": "[driver]"},
    "operatorTree": {"operatorGroups": "[operatorGroup]", "spareOperators": "[operator]"},
}

STATUSES = [
    "Available",
    "Preparing",
    "Charging",
    "SuspendedCHARGER",
    "SuspendedCAR",
    "Finishing",
    "Reserved",
    "Booting",
    "Error",
    "Offline",
    "Unavailable",
    "Info",
]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000)\d{3})?Z")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_PLAIN = {
    "int": _is_int,
    "positive": lambda value: _is_int(value) and value >= 1,
    "number": lambda value: _is_int(value) or isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "groupType": lambda value: _is_int(value) and value in range(5),
    "referenceType": lambda value: _is_int(value) and value in (0, 1),
    "status": lambda value: value in STATUSES,
    "moment": lambda value: isinstance(value, str) and _MOMENT.fullmatch(value) is not None,
    "properties": lambda value: (
        isinstance(value, dict)
        and all(isinstance(text, str) for text in value.values())
        and list(value) == sorted(value)
    ),
    "nothing": lambda value: False,
}


def check(kind: str, value: Any, path: str = "$", seen: "set[tuple[str, str]] | None" = None) -> None:
    """Raise AssertionError unless `value` is a `kind`. `seen` collects (object.key, "null" or "set")."""
    if kind.startswith("["):
        assert isinstance(value, list), f"{path}: {value!r} is no list"
        for index, item in enumerate(value):
            check(kind[1:-1], item, f"{path}[{index}]", seen)
        return
    if kind.endswith("?"):
        if value is None:
            return
        assert value != "", f"{path}: an empty text where null is meant"
        kind = kind[:-1]
    if kind in _PLAIN:
        assert _PLAIN[kind](value), f"{path}: {value!r} is no {kind}"
        return
    keys = OBJECTS[kind]
    assert isinstance(value, dict), f"{path}: {value!r} is no {kind}"
    assert list(value) == list(keys), f"{path}: keys {list(value)} instead of {list(keys)}"
    for key, inner in keys.items():
        if seen is not None:
            seen.add((f"{kind}.{key}", "empty" if is_empty(value[key]) else "filled"))
        check(inner, value[key], f"{path}.{key}", seen)


def is_empty(value: Any) -> bool:
    """Whether a value stands for nothing: null, empty, or one of the sentinels."""
    return value in (None, "", [], {}, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z") and value is not False
