"""The operators of the demo: admins and restricted ones, with and without a home site, and the demo's logins."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from operators import keys
from operators.demo.network import Network, Plot
from operators.models import ApiKey, Operator, SiteGrant


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can sign in to the demo; `secret` names the variable that holds the password."""

    email: str
    secret: str
    who: str


STAFF = Login("staff@chargetree.example", "DEMO_STAFF_PASSWORD", "platform staff: every customer, admin only")
ADMIN = Login("admin@polderstroom.example", "DEMO_ADMIN_PASSWORD", "admin operator of Polderstroom: all of it")
RESTRICTED = Login(
    "operator@polderstroom.example", "DEMO_OPERATOR_PASSWORD", "restricted operator of Polderstroom: one region"
)
LOGINS = (STAFF, ADMIN, RESTRICTED)
# The variable that holds the API key of the demo's admin operator.
API_KEY = "DEMO_API_KEY"

_ASCII = str.maketrans({"ß": "ss", "ı": "i", "ø": "o"})


def add_operators(network: Network, count: int, secrets: Mapping[str, str]) -> None:
    """Make `count` operators, in turn: an admin, one with a region, one with several sites, an admin who is spare,
    one without any site, and one with a single small site.

    `secrets` holds the passwords and the key of the demo's logins; nobody else can sign in.
    """
    regions = [plot for plot in network.plots if not plot.city] or network.plots
    places = [plot for plot in network.plots if plot.has_chargers]
    small = [plot for plot in places if not plot.children]
    emails: set[str] = set()
    for number in range(count):
        rng = network.rng
        name = f"{rng.choice(network.country.first_names)} {rng.choice(network.country.last_names)}"
        operator = Operator(
            customer=network.customer,
            name=name,
            email=_email(network, name, emails),
            operator_id=f"op_{rng.getrandbits(64):016x}",
            password=make_password(None),
        )
        home: Plot | None = None
        seen: list[Plot] = []
        match number % 6:
            case 0:
                operator.is_admin_operator, home = True, network.plots[0]
            case 1:
                home = rng.choice(regions)
                seen = [home]
            case 2:
                seen = rng.sample(places, min(3, len(places)))
                home = seen[0]
            case 3:
                operator.is_admin_operator = True
            case 4:
                operator.is_active = network.ordinal % 2 == 0
                operator.invited_at = network.moment
            case _:
                home = rng.choice(small)
                seen = [home]
        operator.home_site = home.site if home else None
        if network.ordinal == 0 and number < 2:
            _let_sign_in(operator, (ADMIN, RESTRICTED)[number], secrets)
        network.operators.append(operator)
        network.grants += [SiteGrant(customer=network.customer, operator=operator, site=plot.site) for plot in seen]
    if network.ordinal == 0 and network.operators and API_KEY in secrets:
        network.api_keys.append(demo_key(network.operators[0], secrets[API_KEY]))


def staff(secrets: Mapping[str, str]) -> Operator:
    """The demo's platform staff."""
    operator = Operator(name="Demo staff", is_superuser=True, password=make_password(None))
    _let_sign_in(operator, STAFF, secrets)
    return operator


def demo_key(operator: Operator, text: str) -> ApiKey:
    return ApiKey(operator=operator, name="Demo", hint=keys.hint(text), digest=keys.digest(text))


def _let_sign_in(operator: Operator, login: Login, secrets: Mapping[str, str]) -> None:
    operator.email = login.email
    if login.secret in secrets:
        operator.set_password(secrets[login.secret])


def _email(network: Network, name: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(_ASCII)).encode("ascii", "ignore").decode()
    local = ".".join(plain.split())
    numbered = itertools.chain([local], (f"{local}{number}" for number in itertools.count(2)))
    email = next(f"{part}@{network.domain}" for part in numbered if f"{part}@{network.domain}" not in taken)
    taken.add(email)
    return email
