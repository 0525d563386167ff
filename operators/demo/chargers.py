"""The chargers of the demo: real hardware at its site's address, sockets, configurations, and a status that fits."""

from __future__ import annotations

import datetime
import string
from typing import Any

from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.vocabulary import Status
from operators.demo import hardware
from operators.demo.network import Network, Plot

# Of its sockets' statuses, a charger shows the one that stands first here.
_SOCKET_STATUSES = {
    Status.AVAILABLE: 46,
    Status.CHARGING: 26,
    Status.SUSPENDED_CAR: 6,
    Status.PREPARING: 4,
    Status.FINISHING: 4,
    Status.SUSPENDED_CHARGER: 3,
    Status.RESERVED: 3,
    Status.INFO: 2,
    Status.UNAVAILABLE: 2,
    Status.BOOTING: 1,
    Status.ERROR: 3,
}
# A charger that is in one of these states is in it with all its sockets.
_WHOLE_CHARGER = {Status.ERROR: 4, Status.UNAVAILABLE: 2, Status.BOOTING: 2, Status.INFO: 1, None: 91}
_FAULTS = (
    "GroundFailure: residual current above 6 mA DC",
    "ConnectorLockFailure: the plug could not be locked",
    "PowerMeterFailure: no answer on RS-485",
    "HighTemperature: 87 °C in the power unit",
)
_FIRST_DAY = datetime.date(2018, 1, 1)
_SOCKET_NAMES = ("Left", "Right", "Third", "Fourth")


def add_chargers(network: Network, count: int) -> None:
    """Make `count` chargers, spread over the locations unevenly."""
    plots = [plot for plot in network.plots if plot.has_chargers]
    popularity = [network.rng.randrange(1, 7) for _plot in plots]
    for number, plot in enumerate(network.rng.choices(plots, popularity, k=count), start=1):
        models = hardware.MODELS
        (model,) = network.rng.choices(models, [candidate.weight for candidate in models])
        charger = _charger(network, plot, model, number)
        network.chargers.append(charger)
        sockets = [_socket(network, charger, outlet, position) for position, outlet in enumerate(model.outlets, 1)]
        # One in a hundred has been put up without its outlets being described yet.
        if network.chance(0.01):
            sockets = []
        network.sockets += sockets
        _report(network, charger, model, sockets)
        if network.chance(0.6):
            _configure(network, charger)


def _charger(network: Network, plot: Plot, model: hardware.Model, number: int) -> Charger:
    rng, country = network.rng, network.country
    has_modem = network.chance(0.6)
    capabilities = hardware.DC_CAPABILITIES if model.is_fast else hardware.AC_CAPABILITIES
    charger = Charger(
        customer=network.customer,
        site=plot.site,
        charger_id=f"{network.charger_prefix}-{number:05d}",
        name=f"{plot.street} {number}" if network.chance(0.9) else "",
        manufacturer=model.manufacturer,
        model=model.name,
        serial_number=f"{model.serial}{rng.randrange(10**6, 10**7)}" if model.serial else None,
        evse_id=f"{country.code}*{country.operator_code}*E{number:05d}" if network.chance(0.85) else "",
        is_evse_split_by_socket=network.chance(0.4),
        is_push_integration_enabled=network.chance(0.3),
        has_specific_message_structure=network.chance(0.05),
        capabilities=list(capabilities[: rng.randrange(len(capabilities) + 1)]),
        integration_relays=rng.sample(hardware.RELAYS, rng.choice((0, 0, 0, 1, 1, 2))),
        physical_reference=f"P{rng.randrange(1, 80):02d}" if network.chance(0.5) else None,
        iccid=f"8931{rng.randrange(10**14, 10**15)}" if has_modem else None,
        imsi=f"20404{rng.randrange(10**9, 10**10)}" if has_modem else None,
        meter_type=model.meter,
        meter_serial_number=f"M{rng.randrange(10**7, 10**8)}" if model.meter and network.chance(0.9) else None,
        custom_properties=_properties(network),
        # By its number, so that everything else is as it was before there was this column.
        commissioned_on=None if number % 9 == 0 else _FIRST_DAY + datetime.timedelta(days=number * 37 % 2500),
    )
    if network.chance(0.95):
        _put_at(network, charger, plot)
    return charger


def _put_at(network: Network, charger: Charger, plot: Plot) -> None:
    """The charger's address; one in twenty has none yet."""
    assert plot.city is not None
    rng = network.rng
    charger.latitude = round(plot.latitude + rng.uniform(-0.0004, 0.0004), 6)
    charger.longitude = round(plot.longitude + rng.uniform(-0.0006, 0.0006), 6)
    charger.street_address, charger.street_number = plot.street, plot.street_number
    charger.house_letter = rng.choice("ABCD") if network.chance(0.15) else None
    letters = "".join(rng.choices(string.ascii_uppercase, k=2))
    charger.postal_number = (
        f"{plot.city.postal_number} {letters}" if len(plot.city.postal_number) == 4 else (plot.city.postal_number)
    )
    charger.city, charger.area, charger.country = plot.city.name, plot.region, network.country.name


def _properties(network: Network) -> dict[str, str]:
    rng = network.rng
    properties = {
        "assetNumber": f"A-{rng.randrange(10_000, 99_999)}",
        "installer": rng.choice(("Elektro Vos", "Stadtwerke Technik", "Volta Installatie")),
        "gridConnection": rng.choice(("3x25 A", "3x80 A", "3x250 A")),
    }
    return dict(rng.sample(list(properties.items()), rng.choice((0, 0, 1, 2, 3))))


def _socket(network: Network, charger: Charger, outlet: hardware.Outlet, number: int) -> Socket:
    is_dc = outlet.power_type == "DC"
    knows_device = network.chance(0.8)
    return Socket(
        charger=charger,
        number=number,
        name=_SOCKET_NAMES[number - 1] if network.chance(0.8) else "",
        type=outlet.type,
        format=outlet.format,
        power_type=outlet.power_type,
        max_power=f"{outlet.watts / 1000:g} kW" if outlet.watts else None,
        max_power_w=outlet.watts,
        max_voltage_v=outlet.volts,
        max_current_a=outlet.amperes,
        phase_rotation=("RST" if number == 1 else "RTS") if outlet.power_type == "AC_3_PHASE" else None,
        device_evse_id=number if knows_device else None,
        device_connector_id=1 if knows_device else None,
        charging_station_evse_id=number if knows_device and charger.is_evse_split_by_socket else None,
        terms_and_conditions=f"https://{network.domain}/terms" if is_dc else None,
    )


def _report(network: Network, charger: Charger, model: hardware.Model, sockets: list[Socket]) -> None:
    """What the charger last said. One in twenty-five never said anything, one in ten is silent now."""
    rng = network.rng
    silence = rng.choices(("never heard", "lost", "connected"), (4, 10, 86))[0]
    if silence == "never heard":
        return
    is_connected = charger.has_active_connection = silence == "connected"
    charger.last_seen = network.days(-0.003, 0) if is_connected else network.days(-21, -0.1)
    charger.reported_at = charger.last_seen
    charger.firmware_version = rng.choice(model.firmware) if model.firmware else None
    charger.status_version = rng.randrange(1, 5000)
    shared = _picked(network, _WHOLE_CHARGER) if is_connected else Status.OFFLINE
    for socket in sockets:
        socket.status = shared or _picked(network, _SOCKET_STATUSES)
        socket.reported_at = charger.last_seen - datetime.timedelta(seconds=rng.randrange(1, 100_000))
    states = {socket.status for socket in sockets} or {Status.AVAILABLE}
    charger.status = shared or next(status for status in _SOCKET_STATUSES if status in states)
    if Status.ERROR in states | {charger.status}:
        charger.last_message = rng.choice(_FAULTS)
    elif network.chance(0.7):
        charger.last_message = rng.choice(("Heartbeat", f"StatusNotification: {charger.status}", "MeterValues"))


def _picked(network: Network, weights: dict[Any, int]) -> Any:
    return network.rng.choices(list(weights), list(weights.values()))[0]


def _configure(network: Network, charger: Charger) -> None:
    for name, value, can_be_changed in network.rng.sample(hardware.CONFIGURATIONS, network.rng.randrange(1, 5)):
        network.configurations.append(
            ChargerConfiguration(charger=charger, name=name, value=value, can_be_changed=can_be_changed)
        )
